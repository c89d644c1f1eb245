"""A fake of MediaConvert, which MiniStack has not: it takes a workflow's job and says that it is done, without media.

Step Functions' task `mediaconvert:createJob` gets an answer as from AWS
(https://docs.aws.amazon.com/step-functions/latest/dg/connect-mediaconvert.html). At once the default bus has the job's
event with the status COMPLETE (https://docs.aws.amazon.com/mediaconvert/latest/ug/ev_status_complete.html), or ERROR
where an input's name has ``FAILS``. A repeated `ClientRequestToken` begins no second job
(https://docs.aws.amazon.com/mediaconvert/latest/apireference/jobs.html).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

TASK: Final = "arn:aws:states:::mediaconvert:createJob"
FAILS: Final = "unreadable"
REQUIRED: Final = ("Role", "Settings")


def correct(stepfunctions: Any, eventbridge: Any) -> None:
    """Teach ``ministack.services.stepfunctions`` the task; its event goes by ``ministack.services.eventbridge``."""
    jobs: dict[str, dict[str, Any]] = {}

    refusal, put_events = vars(stepfunctions)["_ExecutionError"], vars(eventbridge)["_put_events"]

    def create_job(_: str, request: Mapping[str, Any]) -> dict[str, Any]:
        missing = [name for name in REQUIRED if not request.get(name)]
        if missing:
            raise refusal("MediaConvert.BadRequestException", f"{missing[0]} is a required property")
        token = str(request.get("ClientRequestToken") or uuid.uuid4())
        if token not in jobs:
            jobs[token] = job_of(request, eventbridge.get_account_id(), eventbridge.get_region())
            put_events({"Entries": [entry_of(jobs[token])]}, allow_aws_source=True)
        return {"Job": jobs[token]}

    vars(stepfunctions)["_SERVICE_DISPATCH"][TASK] = create_job


def job_of(request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    """The job of a request, with the names that Step Functions gives them."""
    number = f"{int(time.time() * 1000)}-{uuid.uuid4().hex[:6]}"
    arns = f"arn:aws:mediaconvert:{region}:{account}"
    return {
        **{name: value for name, value in request.items() if name != "ClientRequestToken"},
        "Arn": f"{arns}:jobs/{number}",
        "Id": number,
        "Queue": request.get("Queue") or f"{arns}:queues/Default",
        "Status": "SUBMITTED",
    }


def entry_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The event that says how ``job`` ended, as an entry of `PutEvents`."""
    account = job["Arn"].split(":")[4]
    inputs = [str(one.get("FileInput")) for one in job["Settings"].get("Inputs", [])]
    failed = any(FAILS in name for name in inputs)
    detail = {
        "timestamp": int(time.time() * 1000),
        "accountId": account,
        "queue": job["Queue"],
        "jobId": job["Id"],
        "status": "ERROR" if failed else "COMPLETE",
        "userMetadata": job.get("UserMetadata", {}),
    }
    if failed:
        # https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_error_codes.html
        detail |= {"errorCode": 1010, "errorMessage": f"Unable to open input file {inputs}: a fake, by its name"}
    else:
        detail |= {"outputGroupDetails": []}
    return {
        "Source": "aws.mediaconvert",
        "DetailType": "MediaConvert Job State Change",
        "Detail": json.dumps(detail),
        "Resources": [job["Arn"]],
    }
