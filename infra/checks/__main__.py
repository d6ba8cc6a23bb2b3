"""Checks what is deployed, as far as that is possible without an account.

    python infra/checks expand             writes infra/expanded.json anew
    python infra/checks check PROGRAMS     every check, and that each planted fault is caught
    python infra/checks faults PROGRAMS    the planted faults only
    python infra/checks packages FOLDER    the size of each package that lies there
    python infra/checks emulate FOLDER     deploys with `sam deploy` into an emulator and looks at what came of it
    python infra/checks wiring PROGRAMS    drives the local cloud with the template's functions, environment, queue, rules and
                                           schedule, as they are and with each planted fault that only shows at work

PROGRAMS is the folder of the debug binaries. Ends with 1 when something is wrong.
"""

import importlib
import pathlib
import sys
import time

import cdk
import contract
import drive
import expand
import faults
import linters
import permissions
import wiring
from subject import Subject


def checks(programs):
    """Each check by its name; they take a subject and give what is wrong."""
    return {
        "cfn-lint": linters.cloudformation,
        "sam": lambda subject: linters.sam(subject.source),
        "definitions": lambda subject: linters.definitions(subject.source, programs),
        "permissions": permissions.check,
        "contract": contract.check,
        "wiring": wiring.check,
        "cdk": cdk.check,
    }


def check(programs):
    subject = Subject(expand.Source.read())
    problems = [f"{name}: {problem}" for name, one in checks(programs).items() for problem in one(subject)]
    problems += stale(subject)
    return report(problems, f"{len(subject.resources)} resources, {len(checks(programs))} checks")


def stale(subject):
    if not expand.EXPANDED.exists() or expand.EXPANDED.read_text() != expand.text(subject.expanded):
        yield "infra/expanded.json is not what the template expands to: run `make expand`, and commit it"


def planted(programs):
    problems, summary = faults.check(checks(programs))
    known = {*checks(programs), drive.NAME}
    problems += [f"no check is called `{one['caught-by']}`" for one in faults.every() if one["caught-by"] not in known]
    return report(problems, summary)


def report(problems, summary):
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{summary}: {f'{len(problems)} problems' if problems else 'all well'}")
    return 1 if problems else 0


# Each of these needs packages that the others do without.
OTHERS = {"packages": "packages", "emulate": "emulator", "wiring": "drive"}


def main(command, folder=None):
    began = time.monotonic()
    if command == "expand":
        expand.EXPANDED.write_text(expand.text(expand.expand(expand.Source.read())))
        return 0
    if folder is None or command not in {"check", "faults", *OTHERS}:
        sys.exit(__doc__)
    folder = pathlib.Path(folder)
    if command == "check":
        ended = max(check(folder), planted(folder))
    elif command == "faults":
        ended = planted(folder)
    else:
        ended = report(*importlib.import_module(OTHERS[command]).check(folder))
    print(f"{command}: {time.monotonic() - began:.0f} s")
    return ended


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
