"""Mutants of the Lambda handlers, which the model does not run: its deployment is wired by itself."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, mutant

_TESTS: Final = "tests/unit/media_events/handlers/test_wiring.py"

_OWNED: Final = f"{_TESTS}::test_each_invocation_owns_its_claims_so_that_no_other_can_complete_them"
_ONCE: Final = f"{_TESTS}::test_a_function_that_does_not_answer_is_not_invoked_again_since_it_may_be_at_work"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "let all deliveries own each other's claims",
        "handlers/deliver.py",
        "    owner = str(context.aws_request_id)\n",
        '    owner = "deliver"\n',
        harm="an attempt that lost its claim records the effect of another one as done",
        test=f"{_OWNED}[deliver_from_a_queue]",
    ),
    mutant(
        "let all invocations of a queue ingress own each other's claims",
        "handlers/queue_ingress.py",
        "queue_receiver.receive(messages, idempotency(context.aws_request_id), remaining=remaining)",
        'queue_receiver.receive(messages, idempotency("ingress"), remaining=remaining)',
        harm="an attempt that lost its claim records the event of another one as published",
        test=f"{_OWNED}[take_from_a_queue]",
    ),
    mutant(
        "let all requests of the webhook own each other's claims",
        "handlers/webhook.py",
        "app.receiver.receive(incoming(event), app.idempotency(context.aws_request_id), remaining=remaining)",
        'app.receiver.receive(incoming(event), app.idempotency("webhook"), remaining=remaining)',
        harm="a request that lost its claim records the event of another one as published",
        test=f"{_OWNED}[take_a_webhook]",
    ),
    mutant(
        "deliver without the copies' store",
        "handlers/deliver.py",
        "        deferral_records=DynamoIdempotencyStore(\n"
        '            client("dynamodb"), settings.idempotency_table, owner=str(context.aws_request_id)\n'
        "        ),\n",
        "",
        harm="copies multiply for as long as the destination is down",
        test=f"{_TESTS}::test_a_message_that_sqs_hands_out_twice_waits_for_its_destination_as_one_copy",
    ),
    mutant(
        "redrive without the event bodies",
        "handlers/redrive.py",
        '        event_bodies=S3Bodies(lazy_client("s3"), settings.event_bodies_uri) if settings.event_bodies_uri else None,\n',
        "",
        harm="the body expires while the item is open: lost",
        test=f"{_TESTS}::test_an_open_item_has_a_copy_of_the_body_that_its_event_points_at",
    ),
    mutant(
        "take the retention's days for seconds",
        "handlers/redrive.py",
        "        keep_seconds=settings.closed_retention_days * 86_400,\n",
        "        keep_seconds=settings.closed_retention_days,\n",
        harm="what a person decided, and the event's body, are gone in a moment",
        test=f"{_TESTS}::test_a_closed_item_stays_for_as_many_days_as_are_set",
    ),
    mutant(
        "invoke a suspect function again where it does not answer",
        "handlers/redrive.py",
        '        functions = LambdaFunctions(client("lambda", read_timeout=ISOLATED_SECONDS, attempts=ONE_ATTEMPT))\n',
        '        functions = LambdaFunctions(client("lambda", read_timeout=ISOLATED_SECONDS))\n',
        harm="the function is still at work on the event: twice",
        test=f"{_ONCE}[redriven_alone]",
    ),
    mutant(
        "invoke a destination again where it does not answer",
        "adapters/delivery_factory.py",
        "        attempts=1,\n",
        "",
        harm="the function is still at work on the event: twice",
        test=f"{_ONCE}[delivered]",
    ),
    mutant(
        "invoke a transform's function again where it does not answer",
        "handlers/transform.py",
        'client("lambda", read_timeout=seconds, attempts=1, region=region)',
        'client("lambda", read_timeout=seconds, region=region)',
        harm="the function is still at work on the event: twice",
        test=f"{_ONCE}[asked_by_a_transform]",
    ),
)
