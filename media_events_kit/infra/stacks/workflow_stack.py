"""From checked environments to stacks: one stack per environment, one module call per part of the path."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from media_events_kit.infra.loader.environment import Environment, WorkflowFile
from media_events_kit.infra.model.consumers import FailureHandling, Hop
from media_events_kit.infra.model.destinations import (
    BUS_ARN,
    WAIT_FUNCTION,
    Delivered,
    Destination,
    SqsDestination,
    StepFunctionsDestination,
    TaskCallbackDestination,
)
from media_events_kit.infra.model.ingress import PartnerBusIngress, SnsFifoIngress, SqsIngress, WebhookIngress
from media_events_kit.infra.model.renames import Renamable
from media_events_kit.infra.model.settings import Settings
from media_events_kit.infra.model.workflow import IamAuthorization, S3State, Transform, Workflow
from media_events_kit.infra.stacks.cdk import (
    App,
    Construct,
    LocalBackend,
    S3Backend,
    TerraformHclModule,
    TerraformOutput,
    TerraformStack,
    configure_aws_provider,
)
from media_events_kit.infra.stacks.deployed_names import as_deployed, renamed_hops
from media_events_kit.infra.stacks.ingress_modules import IngressModules, consumer_settings, queue_url, snap_start
from media_events_kit.infra.stacks.local_state import state_file
from media_events_kit.infra.stacks.module_sources import module_source, relative_path
from media_events_kit.infra.stacks.monitoring import Monitoring, left_to_modules
from media_events_kit.infra.stacks.terraform_literals import json_text, literal, replaced
from media_events_kit.infra.validation.references import MACHINE_SUFFIX
from media_events_kit.kit_files import KIT

_GUARDS: Final = Delivered.model_fields.keys() - Renamable.model_fields.keys()

PROVIDER_LOCK: Final = ".terraform.lock.hcl"
"""The name is Terraform's: https://developer.hashicorp.com/terraform/language/files/dependency-lock"""


def build(app: App, workflow: WorkflowFile) -> list[WorkflowStack]:
    """Add one stack per environment to `app`, each beside the project's lock of the AWS provider."""
    folder = workflow.path.resolve().parent
    return [WorkflowStack(app, environment, folder) for environment in workflow.environments]


class WorkflowStack(TerraformStack):
    """One environment in a stack of its own, with its state and its provider."""

    def __init__(self, app: App, environment: Environment, folder: Path) -> None:
        """`folder` is that of the workflow file."""
        super().__init__(app, environment.stack_name)
        self._environment = environment
        self._workflow = as_deployed(environment).workflow
        self._folder = stack_folder(self)
        tags = workflow_tags(environment)
        configure_aws_provider(self, region=self._workflow.region, default_tags=literal(tags))
        self._backend(folder)
        self._lock_provider(folder)
        parts = WorkflowParts(self, environment)
        self.add_override("moved", parts.moved)
        # https://developer.hashicorp.com/terraform/language/resources/terraform-data
        self.add_override("resource.terraform_data", parts.kinds)

    def _backend(self, folder: Path) -> None:
        state = self._workflow.state
        if not isinstance(state, S3State):
            # Outside the output folder, which is made anew.
            LocalBackend(self, path=relative_path(state_file(self._environment, folder), self._folder))
            return
        backend = S3Backend(
            self,
            bucket=literal(state.bucket),
            key=literal(self._environment.state_key),
            region=state.region or self._workflow.region,
            encrypt=True,
            dynamodb_table=literal(state.dynamodb_table),
            kms_key_id=literal(state.kms_key_id),
        )
        if state.use_lockfile:
            # Newer than cdktf 0.21.
            backend.add_override("use_lockfile", value=True)

    def _lock_provider(self, folder: Path) -> None:
        """Have `terraform init` take the version that the project is tested with, not the newest in the range.

        A lock file beside the workflow file says which it is, else the kit's.
        Terraform, and cdktf's command line, keep to a lock file that they find. It holds the checksums of every
        platform: with those of one alone, `init` would refuse the provider's packages for all others.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        own = folder / PROVIDER_LOCK
        shutil.copyfile(own if own.is_file() else KIT / PROVIDER_LOCK, self._folder / PROVIDER_LOCK)


def stack_folder(scope: Construct) -> Path:
    """The folder in which the stack of `scope` is synthesised, and Terraform runs."""
    return Path(App.of(scope).outdir).resolve() / "stacks" / TerraformStack.of(scope).node.id


def workflow_tags(environment: Environment) -> dict[str, str]:
    """The tags of everything in an environment."""
    workflow = as_deployed(environment).workflow
    return {"workflow": workflow.name, "environment": environment.name} | workflow.tags


class WorkflowParts:
    """The whole path of one environment: bucket, bus, ingresses, state machines, router, review, outputs."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        tags: Mapping[str, str] | None = None,
        references: Mapping[str, str] | None = None,
    ) -> None:
        """Add it to `scope`, a stack or a construct in one.

        Args:
            scope: where it is added.
            environment: what is added.
            tags: tags that the stack's provider does not set by default.
            references: texts of the workflow file, and what Terraform is to have in their place.
        """
        self._scope = scope
        self._references = references or {}
        self._tags = dict(tags or {})
        self._renamed = renamed_hops(environment)
        environment = as_deployed(environment)
        self._environment = environment
        self._workflow = environment.workflow
        self._folder = stack_folder(scope)
        self.moved: list[dict[str, str]] = []

        self._settings = self._shared_settings()
        self._ingresses = IngressModules(environment)
        bus = self.bus = self._bus()
        # EventBridge may fail to encrypt or decrypt an event of such a bus, which then has dead letters of its own.
        self._bus_with_key = [] if self._workflow.settings.kms_key is None else [bus]
        self._ingresses.make(self._module, {"settings": self._settings}, bus)
        self._cloudfront = self._in_front(workflow_tags(environment))
        callbacks = self._task_callbacks()
        machines = self.machines = self._state_machines(bus, callbacks)
        router = self.router = self._router(bus, machines, callbacks)
        review = self.review = self._review(bus, machines, router)
        self._outputs(bus=bus, machines=machines, callbacks=callbacks, router=router, review=review)
        others = [bus, *machines.values(), *([] if callbacks is None else [callbacks])]
        self._monitoring(router, review, others)

    @property
    def ingresses(self) -> Mapping[str, TerraformHclModule]:
        """The modules of the ingresses, by name."""
        return self._ingresses.modules

    @property
    def kinds(self) -> Mapping[str, Any]:
        """Terraform's own resources that keep each ingress's kind: a stack's, which they belong to whole."""
        return self._ingresses.kinds()

    def _module(self, identifier: str, name: str, variables: dict[str, Any]) -> TerraformHclModule:
        return TerraformHclModule(
            self._scope,
            identifier,
            source=module_source(name, self._workflow.modules, self._folder),
            variables={key: replaced(value, self._references) for key, value in variables.items() if value is not None},
            # As an asset a module is copied without its surroundings, where it finds the functions' code.
            skip_asset_creation_from_local_modules=True,
        )

    def _shared_settings(self) -> dict[str, Any]:
        """The variable `settings` of all modules. The bucket and the functions' code are made once, for all of them."""
        shared = self._workflow.settings.model_dump(exclude_unset=True, exclude={"snap_start"})
        settings: dict[str, Any] = literal(shared)
        if self._tags:
            settings["tags"] = literal(self._tags)
        storage, protected = self._workflow.storage, self._workflow.deletion_protection
        bucket = self._module(
            "storage",
            "internal/storage-bucket",
            {
                "name": self._environment.prefix,
                "body_expiration_days": storage.body_expiration_days,
                "noncurrent_version_expiration_days": storage.noncurrent_version_expiration_days,
                "force_destroy": None if protected else True,
                "settings": settings or None,
            },
        )
        settings |= {"bucket": bucket.get("bucket")}
        package = self._module("package", "internal/lambda-package", {"settings": settings})
        # The review reads every dead-letter queue: its alarms are for all of them.
        own = {"reviewed": True, "notify_on": left_to_modules(self._workflow.settings.alarms)}
        alarms = settings.get("alarms", {}) | own
        return settings | {"package": package.get("package"), "alarms": alarms}

    def _bus(self) -> TerraformHclModule:
        archive = self._workflow.bus.archive
        kept: dict[str, Any] | None = None
        if archive is not None:
            kept = {"retention_days": archive.retention_days}
            if archive.pattern is not None:
                kept["pattern"] = json_text(archive.pattern)
        return self._module(
            "bus",
            "bus-custom",
            {
                "name": self._environment.prefix,
                "archive": kept,
                "senders": literal(self._ingresses.senders) or None,
                "settings": self._settings,
            },
        )

    def _in_front(self, tags: dict[str, str]) -> TerraformHclModule | None:
        """CloudFront in front of the webhooks, if they are to have it."""
        if self._ingresses.webhook is None:
            return None
        ingress, webhook = self._ingresses.webhook
        if ingress.cloudfront is None:
            return None
        module = self._module(
            "cloudfront",
            "internal/cloudfront",
            {
                "name": f"{self._environment.prefix}-webhooks",
                "api_endpoint": webhook.get_string("api_endpoint"),
                "partners": f"${{keys({_reference(webhook, 'webhook_urls')})}}",
                "settings": self._settings,
            }
            | literal(ingress.cloudfront.model_dump(exclude_none=True)),
        )
        if isinstance(self._scope, WorkflowStack):  # another stack has providers of its own
            tags = literal(tags)
            configure_aws_provider(self._scope, region=self._workflow.region, default_tags=tags, us_east_1=True)
        module.add_override("providers", {"aws": "aws.us_east_1"})
        return module

    def _task_callbacks(self) -> TerraformHclModule | None:
        """The store of task callbacks, if a workflow waits for an event or an event may resume one."""
        waits = any(WAIT_FUNCTION in definition for each in self._hops for definition in each.definitions.values())
        resumes = any(
            isinstance(destination, TaskCallbackDestination)
            for each in self._hops
            for destination in each.workflow.destinations.values()
        )
        if not waits and not resumes:
            return None
        return self._module(
            "task-callbacks",
            "task-callbacks",
            {"name": f"{self._environment.prefix}-task-callbacks", "settings": self._settings},
        )

    def _state_machines(
        self, bus: TerraformHclModule, callbacks: TerraformHclModule | None
    ) -> dict[str, TerraformHclModule]:
        """The state machines by destination: a retired one's too, unless the destination has another definition now."""
        environments = {name: each for each in reversed(self._hops) for name in each.definitions}
        return {name: self._state_machine(each, name, bus, callbacks) for name, each in environments.items()}

    def _state_machine(
        self, environment: Environment, name: str, bus: TerraformHclModule, callbacks: TerraformHclModule | None
    ) -> TerraformHclModule:
        destination = environment.workflow.destinations[name]
        assert isinstance(destination, StepFunctionsDestination)  # noqa: S101 - only these have a definition
        statements = literal({key: statement.model_dump() for key, statement in destination.policy_statements.items()})
        definition = literal(environment.definitions[name])
        # A definition names the stack's bus and wait function by these words, and may then use them.
        known = {BUS_ARN: (bus.get_string("bus_arn"), {"PublishResults": "events:PutEvents"})}
        if callbacks is not None:
            known[WAIT_FUNCTION] = (callbacks.get_string("function_arn"), {"WaitForEvents": "lambda:InvokeFunction"})
        for word, (arn, permissions) in known.items():
            if word in environment.definitions[name]:
                definition = definition.replace(literal(word), arn)
                statements |= {sid: {"actions": [action], "resources": [arn]} for sid, action in permissions.items()}
        return self._module(
            _machine_id(name),
            "state-machine",
            {
                "settings": self._settings,
                "name": f"{self._environment.prefix}-{name}{MACHINE_SUFFIX}",
                "definition": definition,
                "type": destination.kind,
                "policy_statements": statements or None,
            },
        )

    def _router(
        self,
        bus: TerraformHclModule,
        machines: dict[str, TerraformHclModule],
        callbacks: TerraformHclModule | None,
    ) -> TerraformHclModule | None:
        if not any(each.workflow.transforms or each.workflow.routes for each in self._hops):
            return None
        retired = self._environment.retired
        router = self._module(
            "router",
            "router",
            {
                "name": self._environment.prefix,
                "bus_arn": bus.get_string("bus_arn"),
                "watch_rules": False,
                "settings": self._settings,
                "transforms": self._transforms(self._environment),
                "routes": self._routes(self._environment, machines, callbacks),
                "retired": retired
                and {
                    "transforms": self._transforms(retired),
                    "routes": self._routes(retired, machines, callbacks),
                },
            },
        )
        # Where the dead-letter queues went that the router had beside its hops: only who knows the keys can say it.
        self.moved = [
            {
                "from": f'module.router.aws_sqs_queue.dlq["{name}"]',
                "to": f'module.router.module.hop["{name}"].aws_sqs_queue.dlq',
            }
            for name in sorted({name for each in self._hops for name in each.workflow.routes})
        ]
        return router

    @property
    def _hops(self) -> list[Environment]:
        """The environment, and what is retired in it."""
        return [each for each in (self._environment, self._environment.retired) if each is not None]

    def _transforms(self, environment: Environment) -> dict[str, Any]:
        return {
            name: {
                "pattern": json_text(transform.pattern),
                "match_all": transform.match_all,
                "steps": json_text(transform.steps),
                "enabled": transform.enabled,
            }
            | self._code(environment, name, transform)
            | _function_settings(transform, environment.failure[name], environment.workflow.settings)
            for name, transform in environment.workflow.transforms.items()
        }

    def _routes(
        self,
        environment: Environment,
        machines: dict[str, TerraformHclModule],
        callbacks: TerraformHclModule | None,
    ) -> dict[str, Any]:
        return {
            name: {
                "pattern": json_text(route.pattern),
                "match_all": route.match_all,
                "destination": route.destination,
                "enabled": route.enabled,
                "target": self._target(environment.workflow, name, machines, callbacks),
            }
            | _guards(environment.workflow.destinations[route.destination])
            | ({"stage": route.stage} if route.stage is not None else {})
            | _function_settings(route, environment.failure[name], environment.workflow.settings)
            for name, route in environment.workflow.routes.items()
        }

    def _code(self, environment: Environment, name: str, transform: Transform) -> dict[str, Any]:
        """Layers of a transform's function, the zip of its own modules among them, next to the stack."""
        settings: dict[str, Any] = {"layers": literal(transform.layers)} if transform.layers else {}
        if name in environment.packages:
            folder = "packages" if environment is self._environment else "packages/retired"
            place = self._folder / folder / f"{name}.zip"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(environment.packages[name])
            settings["package"] = relative_path(place, self._folder)
        return settings

    def _target(
        self,
        workflow: Workflow,
        name: str,
        machines: dict[str, TerraformHclModule],
        callbacks: TerraformHclModule | None,
    ) -> dict[str, Any]:
        route = workflow.routes[name]
        destination = workflow.destinations[route.destination]
        if isinstance(destination, StepFunctionsDestination):
            machine = machines.get(route.destination) if destination.state_machine_arn is None else None
            arn = literal(destination.state_machine_arn) if machine is None else machine.get_string("state_machine_arn")
            return {"step_functions": {"state_machine_arn": arn}}
        settings: dict[str, Any] = destination.model_dump(
            exclude_none=True, exclude={"type", *_GUARDS, *Renamable.model_fields}
        )
        if isinstance(destination, SqsDestination):
            settings.setdefault("queue_url", queue_url(destination.queue_arn))
            # A queue has one policy, which lets in the rules of all routes to it: the first one's module sets it.
            first = next(key for key, other in workflow.routes.items() if other.destination == route.destination)
            settings["manage_queue_policy"] = destination.manage_queue_policy and name == first
        if route.input_transformer is not None:
            settings["input_transformer"] = route.input_transformer.model_dump()
        settings = literal(settings)
        if isinstance(destination, TaskCallbackDestination):
            assert callbacks is not None  # noqa: S101 - there is one where an event may resume a workflow
            settings["task_callbacks_table"] = callbacks.get("task_callbacks_table")
            if "kms_key" in self._settings:
                settings["kms_key"] = self._settings["kms_key"]
        return {destination.type.replace("-", "_"): settings}

    def _review(
        self,
        bus: TerraformHclModule,
        machines: dict[str, TerraformHclModule],
        router: TerraformHclModule | None,
    ) -> TerraformHclModule:
        arns = {name: machine.get_string("state_machine_arn") for name, machine in machines.items()}
        guarded = self._guarded(router)
        return self._module(
            "review",
            "dlq-review",
            {
                "name": f"{self._environment.prefix}-review",
                "name_prefix": self._environment.name_prefix,
                "bus_arn": bus.get_string("bus_arn"),
                "settings": self._settings,
                "archive": None if self._workflow.bus.archive is None else bus.get("archive"),
                "dead_letter_queues": f"${{{_merged(self._sources(router), 'dead_letter_queues')}}}",
                "log_group_names": f"${{{_merged(guarded, 'log_group_names')}}}",
                "idempotency_tables": f"${{{_merged(guarded, 'idempotency_tables')}}}",
                "state_machine_arns": arns or None,
                "deletion_protection": self._workflow.deletion_protection,
                "editable_types": self._editable_types() or None,
                "function": snap_start(self._workflow.settings) or None,
            }
            | self._workflow.review.model_dump(exclude={"editable_types"}, exclude_defaults=True),
        )

    def _editable_types(self) -> dict[str, Any]:
        return {
            event_type: {} if schema is None else {"schema": json_text(schema)}
            for event_type, schema in self._workflow.review.editable_types.items()
        }

    def _guarded(self, router: TerraformHclModule | None) -> list[TerraformHclModule]:
        """The modules that have functions."""
        return [*self._ingresses.with_functions().values(), *([] if router is None else [router])]

    def _sources(self, router: TerraformHclModule | None) -> list[TerraformHclModule]:
        """The modules that have dead letters."""
        return [*self._bus_with_key, *self._ingresses.modules.values(), *([] if router is None else [router])]

    def _outputs(
        self,
        *,
        bus: TerraformHclModule,
        machines: dict[str, TerraformHclModule],
        callbacks: TerraformHclModule | None,
        router: TerraformHclModule | None,
        review: TerraformHclModule,
    ) -> None:
        guarded = self._guarded(router)
        queues = _merged(self._sources(router), "dead_letter_queues")
        self._output("bus_name", "Name of the event bus.", _bus_name(bus))
        self._ingress_outputs()
        functions = _merged([*guarded, review], "function_arns")
        self._output(
            "functions", "Functions, by hop.", f'${{{{ for hop, arn in {functions} : hop => split(":", arn)[6] }}}}'
        )
        groups = _merged([*guarded, review], "log_group_names")
        self._output("log_group_names", "Log groups of the functions, by hop.", f"${{{groups}}}")
        # Several ingresses may share one.
        self._output(
            "idempotency_table_names",
            "Idempotency tables.",
            f"${{distinct(values({_merged(guarded, 'idempotency_tables')})[*].name)}}",
        )
        self._output(
            "dead_letter_queues",
            "Names of the dead-letter queues, by hop.",
            f'${{{{ for hop, queue in {queues} : hop => element(split(":", queue.queue_arn), 5) }}}}',
        )
        self._output(
            "hops",
            "Each hop's destination, queues and idempotency table.",
            f"${{{{ for hop, queue in {queues} : hop => {{ {', '.join(_HOP)} }} }}}}",
        )
        self._output("partners", "Names of the partners.", literal(sorted(self._workflow.partners)))
        entered = {
            name: [f"ingress/{self._environment.prefix}-{ingress}" for ingress in partner.ingresses]
            for name, partner in sorted(self._workflow.partners.items())
        }
        self._output("partner_ingresses", "Hops by which each partner's events enter.", literal(entered))
        if router is not None:
            self._output("queue_urls", "Queues of the transforms and routes, by hop.", router.get("queue_urls"))
            enabled = ", ".join(_quoted(hop) for hop in self._enabled_hops())
            self._output(
                "event_patterns",
                "Patterns of the rules that are enabled, by hop, as JSON text.",
                f"${{{{ for hop, pattern in {_reference(router, 'event_patterns')} : "
                f"hop => pattern if contains([{enabled}], hop) }}}}",
            )
        if callbacks is not None:
            self._output(
                "wait_function_arn",
                "Function by which workflows wait for events.",
                callbacks.get_string("function_arn"),
            )
        if machines:
            arns = {name: machine.get_string("state_machine_arn") for name, machine in machines.items()}
            self._output("state_machine_arns", "State machines, by destination.", arns)
        self._output("review_table_name", "Table with the review items.", review.get_string("review_table_name"))
        self._output(
            "archive_replay",
            "Bus, archive and hops, for `media-events archive-replay`.",
            {
                "bus_arn": bus.get_string("bus_arn"),
                "archive_arn": f"${{try({_reference(bus, 'archive')}.arn, null)}}",
                "hops": {} if router is None else router.get("archive_replay_hops"),
            }
            | ({"renamed": self._renamed} if self._renamed else {}),
        )
        if self._renamed:
            self._output("renamed", "Names in AWS of what the workflow file has renamed.", self._renamed)
        self._output("operator_policies", "IAM policies for operators' roles.", review.get("operator_policies"))
        self._output("topic_arn", "Topic that tells of new review items.", review.get_string("topic_arn"))

    def _monitoring(
        self,
        router: TerraformHclModule | None,
        review: TerraformHclModule,
        others: list[TerraformHclModule],
    ) -> None:
        sources, tags = self._sources(router), workflow_tags(self._environment)
        monitoring = Monitoring(self._scope, self._environment, list(dict.fromkeys([*sources, review, *others])))
        alarms = monitoring.composite_alarms(review.get_string("topic_arn"))
        if self._workflow.dashboard:
            self._dashboard(router, review, alarms)
        monitoring.resource_group({name: tags[name] for name in ("workflow", "environment")})

    def _dashboard(self, router: TerraformHclModule | None, review: TerraformHclModule, alarms: Sequence[str]) -> None:
        """Add the dashboard and the saved queries; ``alarms`` are expressions of lists of ARNs."""
        with_functions = [*self._guarded(router), review]
        module = self._module(
            "dashboard",
            "dashboard",
            {
                # AWS has one list of dashboards for all regions of an account.
                "name": self._environment.prefix,
                "bus_arn": self.bus.get_string("bus_arn"),
                "function_arns": f"${{{_merged(with_functions, 'function_arns')}}}",
                "dead_letter_queues": f"${{{_merged(self._sources(router), 'dead_letter_queues')}}}",
                "log_group_names": f"${{{_merged(with_functions, 'log_group_names')}}}",
                "alarm_arns": f"${{concat({', '.join(alarms)})}}" if alarms else None,
            },
        )
        # It was the stack's own. Made anew, it might be deleted after that: both have one name.
        name = module.friendly_unique_id
        self.moved.append(
            {"from": f"aws_cloudwatch_dashboard.{name}", "to": f"module.{name}.aws_cloudwatch_dashboard.this"}
        )

    def _enabled_hops(self) -> list[str]:
        hops: dict[str, bool] = {}
        for each in reversed(self._hops):
            # The rule of a retired hop is enabled in any case: it takes what is redriven.
            retired = each is not self._environment
            for kind, members in (("transform", each.workflow.transforms), ("route", each.workflow.routes)):
                hops |= {f"{kind}/{name}": retired or member.enabled for name, member in members.items()}
        return [hop for hop, enabled in hops.items() if enabled]

    def _ingress_outputs(self) -> None:
        if self._ingresses.webhook is not None:
            self._webhook_outputs(*self._ingresses.webhook)
        for output, description, kind, value in (
            ("ingress_queue_urls", "Queues that partners send to, by ingress.", SqsIngress, "queue_url"),
            ("ingress_topic_arns", "Topics that partners send to, by ingress.", SnsFifoIngress, "topic_arn"),
            ("partner_bus_names", "Buses of partner event sources, by ingress.", PartnerBusIngress, None),
        ):
            modules = self._ingresses.named(kind)
            if modules:
                values = {
                    name: _bus_name(module) if value is None else module.get_string(value)
                    for name, module in modules.items()
                }
                self._output(output, description, values)
        policies = self._ingresses.policies()
        if policies:
            self._output("ingress_policies", "Policies of senders, or of existing queues and topics.", policies)

    def _webhook_outputs(self, ingress: WebhookIngress, webhook: TerraformHclModule) -> None:
        called = webhook if self._cloudfront is None else self._cloudfront
        self._output("api_endpoint", "Base URL of the webhooks.", called.get_string("api_endpoint"))
        self._output("webhook_urls", "URL to give to each partner.", called.get("webhook_urls"))
        self._output("secret_names", "Secrets that wait for their value.", webhook.get("secret_names"))
        if called is not webhook:
            self._output("origin_secret_name", "Secret that CloudFront shows.", webhook.get("origin_secret_name"))
            store = called.get_string("key_value_store_arn")
            self._output("key_value_store_arn", "Where CloudFront has that secret.", store)
        if ingress.domain is not None or called is not webhook:
            self._output("domain_target", "What the domain's DNS record points to.", called.get("domain_target"))
        if any(isinstance(partner.authorization, IamAuthorization) for partner in self._workflow.partners.values()):
            self._output("invoke_policies", "Policies that partners' principals need.", webhook.get("invoke_policies"))

    def _output(self, name: str, description: str, value: Any) -> None:
        output = TerraformOutput(self._scope, name, value=replaced(value, self._references), description=description)
        # The commands read it by this name.
        output.override_logical_id(name)


_HOP: Final = (
    "destination = queue.destination",
    "queue_url = queue.source_queue_url",
    "dead_letter_queue_url = queue.queue_url",
    # The store with the destination's circuit breaker; ingresses have none.
    "idempotency_table = try(queue.idempotency_table.name, null)",
    "redrive_max_delay_seconds = try(queue.redrive.max_delay_seconds, null)",
)
"""Attributes of a hop for the operators' commands, from the modules' ``dead_letter_queues``."""


def _guards(destination: Destination) -> dict[str, Any]:
    """What a destination says beside its address, as far as it says something."""
    said = destination.model_fields_set & _GUARDS
    return dict(literal(destination.model_dump(include=said)))


def _function_settings(hop: Hop, failure: FailureHandling, shared: Settings) -> dict[str, Any]:
    """The settings of a hop's function, and of its queue if it has one."""
    settings = consumer_settings(hop, failure, shared)
    if hop.vpc is not None:
        settings["vpc"] = literal(hop.vpc.model_dump())
    if hop.invocation == "direct":
        del settings["queue"]
        settings |= {"invocation": "direct", "function_retry": failure.function_retry.model_dump()}
        # The default limits a queue; reserving it would take it from the account's other functions.
        if "maximum_concurrency" in hop.model_fields_set:
            settings["function"]["reserved_concurrency"] = hop.maximum_concurrency
    return settings


def _machine_id(name: str) -> str:
    return f"machine-{name}"


def _reference(module: TerraformHclModule, output: str) -> str:
    return f"module.{module.friendly_unique_id}.{output}"


def _bus_name(module: TerraformHclModule) -> str:
    return f'${{split(":event-bus/", {_reference(module, "bus_arn")})[1]}}'


def _merged(modules: list[TerraformHclModule], output: str) -> str:
    return f"merge({', '.join(_reference(module, output) for module in modules)})"


def _quoted(text: str) -> str:
    return f'"{text}"'
