"""Event patterns of EventBridge, as far as the template uses them: names, prefixes, and whether a member is there.

<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
"""


def matches(pattern, event):
    return all(
        matches(wanted, event.get(name, {})) if isinstance(wanted, dict) else fits(wanted, event, name)
        for name, wanted in pattern.items()
    )


def fits(alternatives, event, name):
    return any(is_one(one, event, name) for one in alternatives)


def is_one(wanted, event, name):
    if not isinstance(wanted, dict):
        return name in event and event[name] == wanted
    (operator, argument), = wanted.items()
    if operator == "exists":
        return (name in event) == argument
    if operator == "prefix":
        return name in event and event[name].startswith(argument)
    raise NotImplementedError(f"the operator `{operator}` is not one that the template used")
