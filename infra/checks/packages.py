"""What is uploaded of each function: the program and its settings, as one archive."""

import io
import zipfile

from subject import crates

# Lambda loads the whole archive before the first line runs.
MOST_BYTES = 5_000_000


def check(folder):
    problems = []
    for name in sorted(crates()):
        package = folder / name
        for file in ("bootstrap", "settings.toml"):
            if not (package / file).exists():
                problems.append(f"{package / file} is not there: run `make package`")
                break
        else:
            size = len(archive(package))
            print(f"{name:14} {size / 1e6:5.2f} MB, {(package / 'bootstrap').stat().st_size / 1e6:5.2f} MB unpacked")
            if size > MOST_BYTES:
                problems.append(f"{name} has {size / 1e6:.2f} MB packed, more than {MOST_BYTES / 1e6:.0f}")
    return problems, f"{len(crates())} packages"


def archive(package):
    """As `sam deploy` packs it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archived:
        for file in sorted(package.iterdir()):
            archived.write(file, file.name)
    return packed.getvalue()
