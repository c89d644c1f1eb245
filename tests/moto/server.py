"""moto's server with what it lacks for our resources: `python tests/moto/server.py PORT`, on loopback.

Each correction has AWS's page. They are told in docs/explanation/local-cloud-differences.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.events.models import EventsBackend, events_backends
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.models import Queue
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException
from moto.stepfunctions.responses import StepFunctionResponse
from werkzeug.serving import make_server

from media_events_kit.ops.local.server.query_definitions import Definitions

_permitted_by_moto: Any = IAMPolicyStatement.is_action_permitted
_log_group_of_moto: Any = LogGroup.to_describe_dict
_attributes_of_moto: Any = vars(Queue)["attributes"].fget


def is_action_permitted(statement: Any, *request: Any, **named: Any) -> PermissionResult:
    """A denial whose condition isn't met denies nothing; moto knows no condition but StringEquals.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    if statement._statement["Effect"] == "Deny" and "Condition" in statement._statement:
        return PermissionResult.NEUTRAL
    permission: PermissionResult = _permitted_by_moto(statement, *request, **named)
    return permission


def queue_attributes(queue: Any) -> dict[str, Any]:
    """With RedriveAllowPolicy, for which the provider would wait.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
    """
    attributes: dict[str, Any] = _attributes_of_moto(queue)
    allowed = getattr(queue, "redrive_allow_policy", None)
    if attributes.get("RedrivePolicy"):
        attributes["RedrivePolicy"] = json.dumps(json.loads(attributes["RedrivePolicy"]), separators=(",", ":"))
    return attributes | ({"RedriveAllowPolicy": allowed} if allowed else {})


def log_group(group: Any) -> dict[str, Any]:
    """With the class, for want of which the provider would replace every group.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    """
    described: dict[str, Any] = _log_group_of_moto(group)
    return {"logGroupClass": "STANDARD"} | described


def bus_name(_backend: Any, bus: str | None) -> str:
    """A bus by name or ARN; a partner's has slashes.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html
    """
    return "default" if bus is None else bus.rpartition(":event-bus/")[2]


def tag(backend: Any, arn: str, tags: dict[str, str]) -> None:
    """By the whole ARN, as :func:`tags_of` reads."""
    backend.tagger.tag_resource(arn, backend.tagger.convert_dict_to_tags_input(tags))


def untag(backend: Any, arn: str, names: list[str]) -> None:
    """By the whole ARN, as :func:`tags_of` reads."""
    backend.tagger.untag_resource_using_names(arn, names)


def tags_of(backend: Any, arn: str) -> dict[str, list[dict[str, str]]]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTagsForResource.html, by the whole ARN."""
    tags: dict[str, list[dict[str, str]]] = backend.tagger.list_tags_for_resource(arn)
    return tags


def validate_state_machine_definition(request: Any) -> ActionResult:
    """By moto's own parser. https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html."""
    try:
        AmazonStateLanguageParser.parse(json.loads(request.body)["definition"])
    except (ASLParserException, ValueError) as error:
        problem = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": repr(error)}
        return ActionResult({"result": "FAIL", "diagnostics": [problem]})
    return ActionResult({"result": "OK", "diagnostics": []})


def list_state_machine_versions(_request: Any) -> ActionResult:
    """No version: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachineVersions.html."""
    return ActionResult({"stateMachineVersions": []})


SAVED = Definitions({})
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html, in one region."""


def recursion_config(request: Any) -> ActionResult:
    """Kept with the function. https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html."""
    function = request.backend.get_function(request.path.rsplit("/", 2)[1])
    function.recursive_loop = request._get_param("RecursiveLoop") or getattr(function, "recursive_loop", "Terminate")
    return ActionResult({"RecursiveLoop": function.recursive_loop})


def saved_queries(answer: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[[Any], ActionResult]:
    """A handler of moto's that answers as the local cloud does."""
    return lambda request: ActionResult(answer(json.loads(request.body)))


class Connection(CloudFormationModel):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-connection.html."""

    __module__ = "moto.events.models"  # moto wants to know the service that a model is of

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @property
    def physical_resource_id(self) -> str:
        return str(self.connection.name)

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Events::Connection"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in {"Arn", "SecretArn"}

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return str({"Arn": self.connection.arn, "SecretArn": self.connection.secret_arn}[attribute_name])

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Connection:
        properties = cloudformation_json["Properties"]
        return cls(
            events_backends[account_id][region_name].create_connection(
                name=resource_name,
                description=properties.get("Description", ""),
                authorization_type=properties["AuthorizationType"],
                auth_parameters=properties["AuthParameters"],
            )
        )

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, _cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        events_backends[account_id][region_name].delete_connection(resource_name)

    def is_created(self) -> bool:
        return True


class Quiet(MotoRequestHandler):
    """Tells of errors alone."""

    def log_request(self, *_: Any) -> None:
        """Nothing."""


def serve(port: int) -> None:
    """Answer on loopback until the process ends."""
    IAMPolicyStatement.is_action_permitted = is_action_permitted
    Queue.attributes = property(queue_attributes)
    LogGroup.to_describe_dict = log_group
    EventsBackend._normalize_event_bus_arn = bus_name
    EventsBackend.tag_resource, EventsBackend.untag_resource = tag, untag
    EventsBackend.list_tags_for_resource = tags_of
    StepFunctionResponse.validate_state_machine_definition = validate_state_machine_definition
    StepFunctionResponse.list_state_machine_versions = list_state_machine_versions
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm
    LambdaResponse.put_function_recursion_config = recursion_config
    LambdaResponse.get_function_recursion_config = recursion_config
    for action in ("put", "describe", "delete"):
        name = "describe_query_definitions" if action == "describe" else f"{action}_query_definition"
        setattr(LogsResponse, name, saved_queries(getattr(SAVED, action)))
    path = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/recursion-config$"
    lambda_urls.url_paths[path] = LambdaResponse.dispatch
    application = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", port, application, threaded=True, request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
