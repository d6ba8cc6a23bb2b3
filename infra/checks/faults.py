"""Plants each fault of `infra/faults.yaml` alone, and asks the check that must catch it.

A check that says nothing, or something else than the fault's words, has not caught it; nor has one that says the same
of the template as it is.
"""

import expand
import yaml
from subject import Subject

FAULTS = expand.INFRA / "faults.yaml"


def every():
    return yaml.safe_load(FAULTS.read_text())


def check(checks):
    source = expand.Source.read()
    sound = {name: list(one(Subject(source))) for name, one in checks.items()}
    faults = [fault for fault in every() if fault["caught-by"] in checks]
    problems = [problem for fault in faults for problem in uncaught(source, checks, sound, fault)]
    if idle := checks.keys() - {fault["caught-by"] for fault in faults}:
        problems.append(f"no fault shows that these catch anything: {sorted(idle)}")
    return problems, f"{len(faults)} planted faults"


def uncaught(source, checks, sound, fault):
    broken = source.copy()
    plant(broken, fault)
    said = list(checks[fault["caught-by"]](Subject(broken)))
    new = [one for one in said if one not in sound[fault["caught-by"]]]
    if not any(str(fault["says"]) in one for one in new):
        yield f"{fault['caught-by']} did not catch that {fault['fault']}; it said {new or 'nothing'}"


def plant(source, fault):
    document = source.template if fault["in"] == "template.yaml" else source.machines[fault["in"]]
    *way, last = [step for step in fault["at"].split("/")]
    place = document
    for step in way:
        place = place[found(place, step)]
    if "set" in fault:
        place[found(place, last)] = fault["set"]
    elif "add" in fault:
        place[found(place, last)].append(fault["add"])
    else:
        del place[found(place, last)]


def found(place, step):
    """The member of an object, or the place in a list of what has a member of that value."""
    if isinstance(place, dict):
        return step
    name, value = step.split("=", 1)
    return next(number for number, one in enumerate(place) if str(one.get(name)) == value)
