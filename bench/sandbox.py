"""One sandbox of Lambda, in a process of its own with the functions' runtime. It loads a handler and calls it.

The environment is the function's; ``argv`` has the handler, a file with the events to handle, and where to write what
was measured. It imports next to nothing before the handler, so that no import is free of charge.
"""

import os
import sys
import time


class Context:
    """Lambda's context, as far as handlers use it."""

    aws_request_id = "6f1ed9f0-0000-0000-0000-000000000000"
    function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    function_version = "$LATEST"
    invoked_function_arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{function_name}"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self) -> int:
        """Always plenty."""
        return 30_000


def main() -> None:
    """Load, call, measure."""
    started = time.process_time()
    module_name, _, function_name = sys.argv[1].rpartition(".")
    handler = getattr(__import__(module_name, fromlist=[function_name]), function_name)
    loaded = time.process_time()

    # The handlers have loaded json by now, whoever they are.
    import json  # noqa: PLC0415

    with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be free of charge
        events = json.load(file)
    cold = int(os.environ.get("BENCH_COLD", "1"))
    before = time.process_time()
    answers = [handler(event, Context()) for event in events[:cold]]
    called, answered = time.process_time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib would be free of charge
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    modules = sorted(sys.modules)
    with open("/proc/self/stat", encoding="ascii") as stat:  # noqa: PTH123
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    warm = []
    for event in events[cold:]:
        at = time.process_time()
        answers.append(handler(event, Context()))
        warm.append(time.process_time() - at)
    measured = {
        "start": started,
        "load": loaded - started,
        "first": called - before,
        "cold": loaded + called - before,
        "wall": answered - ticks / os.sysconf("SC_CLK_TCK"),
        "resident_kb": resident,
        "warm": warm,
        "modules": modules,
        "answers": answers[:2] + answers[-1:],
    }
    with open(sys.argv[3], "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be free of charge
        json.dump(measured, file)


main()
