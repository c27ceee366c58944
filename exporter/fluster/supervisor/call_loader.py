"""Runs inside the job: loads the pickled call beside this file, calls it, and leaves the result in the output directory.

Standard library only, and any Python 3: the version is checked before a byte is unpickled.
"""

import json
import os
import pickle
import sys


def main():  # type: ignore[no-untyped-def] # annotations would tie it to newer Pythons
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "call.json")) as file:
        wanted = json.load(file)["python_version"]
    have = "%d.%d" % sys.version_info[:2]
    if wanted and ".".join(wanted.split(".")[:2]) != have:
        sys.stderr.write(
            "the call was pickled with Python %s, this job has Python %s; submit it with the same Python\n"
            % (wanted, have)
        )
        return 125
    sys.path[0] = os.getcwd()
    sys.path.append(here)
    with open(os.path.join(here, "call.pkl"), "rb") as file:
        function, args, kwargs = pickle.load(file)
    result = function(*args, **kwargs)
    target = os.path.join(os.environ["FLUSTER_OUTPUT_DIR"], "result.pkl")
    with open(target + ".part", "wb") as file:
        try:
            pickle.dump(result, file)
        except Exception:
            import cloudpickle

            file.seek(0)
            file.truncate()
            cloudpickle.dump(result, file)
    os.replace(target + ".part", target)
    return 0


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[no-untyped-call] # as above
