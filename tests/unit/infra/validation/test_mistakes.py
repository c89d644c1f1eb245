"""Every kind of mistake in a workflow file, and the very words that its author reads."""

import json

import pytest

from tests.fakes.workflows import SMALL, load_small, problems, problems_with

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:publish"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf"
ROUTE = "    destination: cms"
DESTINATION = '{type: http, url: "https://cms.example.com/events"}'
ENVIRONMENT = "dev: {region: eu-west-1}"


def test_the_small_workflow_itself_has_no_mistake():
    assert problems(SMALL) == []


# ------------------------------------------------------------------------------------------------------- references


def test_route_to_an_unknown_destination_names_the_nearest_one():
    assert problems_with({ROUTE: "    destination: cmz"}) == [
        'line 9, routes.ready.destination: there is no destination "cmz": did you mean "cms"?'
    ]


def test_route_to_a_destination_unlike_any_other_lists_them():
    (problem,) = problems_with({ROUTE: "    destination: archive"})

    assert problem.endswith('there is no destination "archive": there is cms')


def test_partner_with_an_unknown_ingress_gets_the_default_as_advice():
    assert problems_with({"ingress: webhook": "ingress: web"}) == [
        'line 3, partners.mux.ingress: there is no ingress "web": did you mean "webhook"?'
    ]


def test_second_webhook_ingress_is_refused():
    ingresses = "ingress:\n  webhook: {type: webhook}\n  hooks: {type: webhook}\nroutes:"

    assert problems_with({"routes:": ingresses}) == [
        'line 8, ingress.hooks: "webhook" is a webhook ingress already: one HTTP API serves all partners that call'
    ]


def test_unused_destination_is_a_warning_only():
    spare = "destinations:\n  spare: {type: http, url: 'https://spare.example.com/'}"
    workflow = load_small({"destinations:": spare, "environments:": f"{TELLING}environments:"})

    assert [str(warning) for warning in workflow.warnings] == [
        "line 5, destinations.spare: no route leads to this destination"
    ]


TELLING = 'settings: {alarms: {actions: {critical: ["arn:aws:sns:eu-west-1:123456789012:on-call"]}}}\n'


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", False),
        ("settings: {alarms: {severities: [warning]}}\n", False),
        ("settings: {alarms: {enabled: false}}\n", True),
        (TELLING, True),
    ],
)
def test_alarms_that_reach_nobody_are_a_warning(settings, told):
    workflow = load_small({"environments:": f"{settings}environments:"})

    assert [("is empty: only who subscribes" in str(warning)) for warning in workflow.warnings] == [True] * (not told)


def test_an_unknown_severity_or_state_of_alarms_is_refused():
    for key, value in {"severities": "fatal", "notify_on": "Ok"}.items():
        settings = f"settings: {{alarms: {{{key}: [{value}]}}}}\nenvironments:"
        assert key in problems_with({"environments:": settings})[0]


def test_declared_ingresses_replace_the_default_one():
    ingresses = "ingress: {calls: {type: webhook}}\nroutes:"

    assert problems_with({"routes:": ingresses, "ingress: webhook": "ingress: calls"}) == []
    assert problems_with({"routes:": ingresses}) == [
        'line 3, partners.mux.ingress: there is no ingress "webhook": there is calls'
    ]


# ------------------------------------------------------------------------------------------------- keys and values


def test_unknown_key_is_answered_with_the_nearest_known_one():
    assert problems_with({"routes:": "rotues:"}) == [
        'line 6, rotues: is an unknown key: did you mean "routes"?',
    ]


def test_misspelt_setting_is_reported_with_what_is_missing_for_it():
    assert problems_with({"url: ": "ulr: "}) == [
        'line 5, destinations.cms.ulr: is an unknown key: did you mean "url"?',
        "line 5, destinations.cms.url: is missing: an https:// URL; credentials belong in `auth`",
    ]


def test_destination_without_type_and_with_an_unknown_type():
    assert problems_with({"type: http, ": ""}) == ['line 5, destinations.cms: needs a "type" that says what it is']
    assert problems_with({"type: http": "type: htp"}) == [
        'line 5, destinations.cms: there is no type "htp": did you mean "http"?'
    ]


def test_number_where_text_belongs_is_answered_with_quotes():
    assert problems_with({"[asset.ready]}": "[asset.ready]}\n    destination: 5", ROUTE + "\n": ""}) == [
        'line 9, routes.ready.destination: must be text, not 5: put it between quotes, "5"'
    ]


def test_text_where_a_number_belongs():
    assert problems_with({ROUTE: f"{ROUTE}\n    memory_mb: big"}) == [
        'line 10, routes.ready.memory_mb: must be a whole number, not "big"'
    ]


def test_number_out_of_bounds_names_the_bound():
    assert problems_with({ROUTE: f"{ROUTE}\n    memory_mb: 64"}) == [
        "line 10, routes.ready.memory_mb: must be 128 or more, not 64"
    ]


def test_value_outside_a_choice_names_the_choices():
    assert problems_with({"url:": "mode: struct, url:"}) == [
        "line 5, destinations.cms.mode: must be 'structured', 'binary' or 'data', not \"struct\""
    ]


def test_malformed_name_region_and_environment():
    assert problems_with({"name: media": "name: Media_1", "eu-west-1": "europe"}) == [
        'line 1, name: must be 1 to 20 lower-case letters, digits and hyphens, beginning with a letter, not "Media_1"',
        'line 11, environments.dev.region: must be a region such as eu-west-1, not "europe"',
    ]
    assert problems_with({ENVIRONMENT: "Dev: {region: eu-west-1}"}) == [
        (
            "line 11, environments.Dev: an environment's name must be 1 to 15 lower-case letters, digits and hyphens, "
            'beginning with a letter, not "Dev"'
        )
    ]


def test_empty_section_names_the_expected_value():
    assert problems_with({f"cms: {DESTINATION}": "cms:"}) == [
        "line 5, destinations.cms: is empty: it must be a mapping"
    ]


# --------------------------------------------------------------------------------------------------------- the file


def test_duplicate_key_is_reported_with_both_lines():
    assert problems_with({ROUTE: f"{ROUTE}\n    destination: cms"}) == [
        "line 10, routes.ready.destination: the key is on line 9 already: keep one of the two"
    ]


def test_text_that_is_no_yaml_is_reported_with_its_line():
    (problem,) = problems_with({ROUTE: "\tdestination: cms"})

    assert problem.startswith("line 9: this is not YAML")
    assert problem.endswith("indent with spaces, not tabs")


def test_reference_without_quotes_inside_braces_gets_the_advice_to_quote():
    (problem,) = problems_with({'"https://cms.example.com/events"': "${CMS_URL}"})

    assert problem.startswith("line 5: this is not YAML")
    assert "between quotes" in problem


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- a list\n", "just text\n", "null\n"])
def test_file_without_a_workflow_is_an_error_and_no_trace(text):
    assert problems(text)


def test_file_with_two_documents_is_refused():
    assert "not YAML" in problems(SMALL + "---\nname: other\n")[0]


def test_tags_cannot_make_python_objects():
    assert problems_with({"name: media": "name: !!python/object/apply:os.getcwd []"})[0] == (
        "line 1, name: YAML tags such as tag:yaml.org,2002:python/object/apply:os.getcwd have no meaning here: "
        "remove it"
    )


def test_alias_to_itself_is_refused():
    (problem,) = problems_with({"name: media": "name: &a [*a]"})

    assert problem == "line 1: name[0] contains itself, by an alias"


def test_aliases_of_aliases_are_bounded():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]

    assert "more than 50000 values" in problems("\n".join(levels) + "\n")[0]


@pytest.mark.slow
def test_deeply_nested_file_is_refused():
    assert problems("name: " + "[" * 5000 + "]" * 5000 + "\n")


# ------------------------------------------------------------------------------------------------------- patterns


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("{detailtype: [a]}", '.detailtype: no event has this field, so it never matches: did you mean "detail-type"?'),
        ("{asset: [a]}", ".asset: no event has this field, so it never matches: the partner's own fields are under "),
        ("{detail-type: asset.ready}", '.detail-type: must be an object or an array: write ["asset.ready"]'),
        ("{detail-type: [{prefx: a}]}", ".detail-type[0]: 'prefx' is no comparison; did you mean 'prefix'?"),
        (
            "{detail-type: {prefix: asset.}}",
            """.detail-type: a comparison stands in an array: write [{"prefix":"asset."}]""",
        ),
        ('{detail: {data: {title: ["Gru\\u0308n"]}}}', ".detail.data.title[0]: has text in decomposed Unicode"),
        ("{}", ": an empty pattern takes every event; where that is meant, set match_all"),
        ("{detail: {metadata: {stage: [received]}}}", ".detail.metadata.stage: detail.metadata.stage is the kit's own"),
    ],
)
def test_pattern_that_eventbridge_would_refuse_or_never_match(pattern, problem):
    (found,) = problems_with({"{detail-type: [asset.ready]}": pattern})

    assert found.startswith(f"line 8, routes.ready.pattern{problem}")


@pytest.mark.parametrize(
    ("pattern", "warning"),
    [
        ("{source: [partner.muxx]}", ".source: no event has the source partner.muxx: did you mean partner.mux?"),
        ("{detail: {metadata: {parner: [mux]}}}", ".detail.metadata.parner: no event has detail.metadata.parner, so"),
        ("{detail: {size: [1]}}", ".detail.size: no event has detail.size, so this never matches: the partner's own"),
        ("{detail-type: {prefix: [asset.]}}", ".detail-type.prefix: 'prefix' is a field's name here; a comparison"),
        ("{detail: {data: {size: {numeric: ['>', 5]}}}}", ".detail.data.size.numeric: 'numeric' is a field's name"),
        ("{$or: [{source: [partner.x]}, {id: [a]}]}", ".$or[0].source: no event has the source partner.x: "),
    ],
)
def test_pattern_that_can_never_match_is_a_warning(pattern, warning):
    workflow = load_small({"{detail-type: [asset.ready]}": pattern, "environments:": f"{TELLING}environments:"})

    (found,) = (str(each) for each in workflow.warnings)
    assert found.startswith(f"line 8, routes.ready.pattern{warning}")


def test_pattern_by_replay_name_dotted_fields_and_nested_alternatives_is_taken():
    pattern = (
        "{replay-name: [again], detail.data: [x], "
        "$or: [{id: [a]}, {$or: [{detail.metadata.subject: [b]}, {account: ['123456789012']}]}]}"
    )
    workflow = load_small({"{detail-type: [asset.ready]}": pattern, "environments:": f"{TELLING}environments:"})

    assert workflow.warnings == ()


def test_empty_pattern_is_allowed_where_it_is_meant():
    assert problems_with({"{detail-type: [asset.ready]}": "{}\n    match_all: true"}) == []


def test_pattern_of_the_archive_is_checked_too():
    (problem,) = problems_with({"routes:": "bus: {archive: {pattern: {source: mux}}}\nroutes:"})

    assert problem == 'line 6, bus.archive.pattern.source: must be an object or an array: write ["mux"]'


# ---------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "whose"),
    [("webhook", "the function of the ingress webhook"), ("review", "the review function")],
)
def test_route_named_like_another_function_is_refused(name, whose):
    assert problems_with({"  ready:": f"  {name}:"}) == [
        f"line 7, routes.{name}: media-dev-{name} is {whose}: choose another name"
    ]


def test_transform_and_route_of_one_name_are_refused():
    transform = "transforms: {ready: {pattern: {source: [a]}, steps: [{set: {a: 1}}]}}\nroutes:"

    assert problems_with({"routes:": transform}) == [
        "line 8, routes.ready: a transform has this name too, and both would name a function: rename one"
    ]


def test_name_too_long_for_aws_is_refused_with_its_length():
    long = "a" * 40
    found = problems_with({"name: media": f"name: {'m' * 20}", "  ready:": f"  {long}:"})

    assert found == [f"line 7, routes.{long}: {'m' * 20}-dev-{long} has 65 characters; AWS takes 64: shorten the name"]


# ---------------------------------------------------------------------------------------- partners and their files


def test_more_hops_than_a_dashboard_shows_are_refused_unless_it_is_left_out():
    # With the webhook and the one route of the small workflow these are 241.
    more = "".join(f"  r{n}: {{pattern: {{source: [a]}}, destination: cms}}\n" for n in range(239))

    assert problems_with({"routes:\n": f"routes:\n{more}"}) == [
        "line 6, routes: a dashboard shows at most 240 hops, and these are 241: set dashboard: false"
    ]
    assert problems_with({"routes:\n": f"dashboard: false\nroutes:\n{more}"}) == []


def test_unknown_preset_names_the_nearest():
    (problem,) = problems_with({"specification: mux": "specification: frameio-v5"})

    assert problem.startswith('line 3, partners.mux.specification: there is no preset "frameio-v5": did you mean "fram')


def test_missing_specification_file_is_named():
    (problem,) = problems_with({"specification: mux": "specification: ./partners/acme.yaml"})

    assert problem == "line 3, partners.mux.specification: partners/acme.yaml can't be read: No such file or directory"


def test_mistake_in_a_specification_file_names_file_and_field(tmp_path):
    (tmp_path / "acme.yaml").write_text("preset: mux\ntolerance: 5\n", encoding="utf-8")

    (problem,) = problems(SMALL.replace("specification: mux", "specification: ./acme.yaml"), folder=tmp_path)

    assert problem.startswith("line 3, partners.mux.specification: ./acme.yaml: tolerance: is unknown")


def test_mistake_in_an_inline_specification_is_reported_at_its_field():
    (problem,) = problems_with({"specification: mux": "specification: {preset: mux, tolerance: 5}"})

    assert problem.startswith("line 3, partners.mux.specification.tolerance: is unknown")


def test_partner_without_verification_cannot_be_a_webhook():
    (problem,) = problems_with({"specification: mux": "specification: mediaconvert"})

    assert problem.startswith("line 3, partners.mux.specification: verification: is missing, and a webhook needs it")


PRINCIPAL = "arn:aws:iam::123456789012:role/acme"
BARE = "{id: body.id, type: body.type}"


@pytest.mark.parametrize(
    "authorization",
    [
        f"{{type: iam, principals: ['{PRINCIPAL}']}}",
        "{type: jwt, issuer: 'https://login.example.com/', audiences: [hooks]}",
    ],
)
def test_partner_without_verification_can_be_a_webhook_where_api_gateway_authorises_it(authorization):
    partner = f"specification: {BARE}, ingress: webhook, authorization: {authorization}"

    assert problems_with({"specification: mux, ingress: webhook": partner}) == []


@pytest.mark.parametrize(
    ("authorization", "problem"),
    [
        ("{type: none}", 'there is no type "none"'),
        ("{principals: []}", 'needs a "type"'),
        ("{type: iam}", "principals: is missing"),
        ("{type: iam, principals: []}", "principals: must have at least 1 entry"),
        ("{type: iam, principals: ['*']}", "must be the ARN of a role or user named in full"),
        (f"{{type: iam, principals: ['{PRINCIPAL}'], scopes: [a]}}", "scopes: is an unknown key"),
        ("{type: jwt, audiences: [hooks]}", "issuer: is missing"),
        ("{type: jwt, issuer: 'http://a.example.com', audiences: [hooks]}", "must be an https:// URL"),
        ("{type: jwt, issuer: 'https://a.example.com', audiences: []}", "audiences: must have at least 1 entry"),
    ],
)
def test_authorization_that_would_admit_anybody_is_refused(authorization, problem):
    partner = f"specification: {BARE}, ingress: webhook, authorization: {authorization}"

    (found,) = problems_with({"specification: mux, ingress: webhook": partner})

    assert found.startswith("line 3, partners.mux.authorization")
    assert problem in found


def test_handshake_of_an_authorised_partner_needs_its_secret():
    handshake = "{kind: query_echo, query: challenge, secret_query: verify}"
    authorization = "{type: jwt, issuer: 'https://login.example.com/', audiences: [hooks]}"
    partner = (
        f"specification: {{preset: mux, handshake: {handshake}}}, ingress: webhook, authorization: {authorization}"
    )

    (problem,) = problems_with({"specification: mux, ingress: webhook": partner})

    assert problem.startswith("line 3, partners.mux.specification.handshake: needs a secret")


CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/a1"
DOMAIN = f"name: hooks.example.com, certificate_arn: '{CERTIFICATE}'"


@pytest.mark.parametrize("domain", ["", f", domain: {{{DOMAIN}}}"])
def test_certificate_that_no_ingress_asks_for_is_refused(domain):
    changes = {
        "ingress: webhook": "ingress: webhook, require_client_certificate: true",
        "routes:": f"ingress: {{webhook: {{type: webhook{domain}}}}}\nroutes:",
    }

    assert problems_with(changes) == [
        (
            "line 3, partners.mux.require_client_certificate: no ingress asks for a certificate: "
            "give the ingress a domain with mutual_tls"
        )
    ]


IAM = "authorization: {type: iam, principals: ['arn:aws:iam::123456789012:role/mam']}"


@pytest.mark.parametrize("cloudfront", ["cloudfront: {}", "cloudfront: {requests_per_5_minutes: 100}"])
def test_a_signature_of_aws_does_not_work_behind_cloudfront(cloudfront):
    changes = {
        "ingress: webhook": f"ingress: webhook, {IAM}",
        "routes:": f"ingress: {{webhook: {{type: webhook, {cloudfront}}}}}\nroutes:",
    }

    (problem,) = problems_with(changes)

    assert problem.startswith("line 3, partners.mux.authorization.type: iam does not work behind cloudfront")


WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/ours/1"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (f"cloudfront: {{}}, domain: {{{DOMAIN}}}", "give cloudfront the domain"),
        (f"cloudfront: {{domain: {{{DOMAIN}}}}}", "a certificate in us-east-1"),
        ("cloudfront: {requests_per_5_minutes: 9}", "must be 10 or more"),
        (
            f"cloudfront: {{requests_per_5_minutes: 10, web_acl_arn: '{WEB_ACL}'}}",
            "your own web ACL has its own rules",
        ),
        (
            "cloudfront: {web_acl_arn: 'arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/1'}",
            "of scope CLOUDFRONT",
        ),
    ],
)
def test_what_cloudfront_can_not_take_is_told(options, told):
    (problem,) = problems_with({"routes:": f"ingress: {{webhook: {{type: webhook, {options}}}}}\nroutes:"})

    assert told in problem


def test_certificate_is_required_where_mutual_tls_is():
    changes = {
        "ingress: webhook": "ingress: webhook, require_client_certificate: true",
        "routes:": (
            f"ingress: {{webhook: {{domain: {{{DOMAIN}, mutual_tls: {{truststore_uri: 's3://trust/ca.pem'}}}}}}}}"
            "\nroutes:"
        ),
    }

    assert problems_with(changes) == []


@pytest.mark.parametrize(
    ("domain", "problem"),
    [
        ("{name: hooks.example.com}", "certificate_arn: is missing"),
        (f"{{name: 'https://hooks.example.com', certificate_arn: '{CERTIFICATE}'}}", "a domain such as"),
        (f"{{name: '*.example.com', certificate_arn: '{CERTIFICATE}'}}", "a domain such as"),
        ("{name: hooks.example.com, certificate_arn: hooks}", "the ARN of a certificate"),
        (f"{{{DOMAIN}, mutual_tls: {{truststore_uri: ca.pem}}}}", "an object in S3"),
        (f"{{{DOMAIN}, mutual_tls: {{}}}}", "truststore_uri: is missing"),
    ],
)
def test_domain_that_could_not_be_made_is_refused(domain, problem):
    (found,) = problems_with({"routes:": f"ingress: {{webhook: {{domain: {domain}}}}}\nroutes:"})

    assert found.startswith("line 6, ingress.webhook.domain")
    assert problem in found


def test_limits_of_a_partner_are_given_in_full():
    (problem,) = problems_with({"ingress: webhook": "ingress: webhook, throttle: {rate: 5}"})

    assert problem.startswith("line 3, partners.mux.throttle.burst: is missing")


def test_secret_given_by_value_is_refused():
    (problem,) = problems_with({"ingress: webhook": "ingress: webhook, secret_arns: [whsec_c2VjcmV0]"})

    assert problem.startswith("line 3, partners.mux.secret_arns[0]: must be the ARN of a secret")


# ------------------------------------------------------------------------------------- destinations and their files


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("url: 'http://cms.example.com/'", ".url: its scheme must be https (allow_http = true permits http, which"),
        ("url: 'https://user:pass@cms.example.com/'", ".url: it must not hold a user name or password; use auth with"),
        ("url: 'cms.example.com'", ".url: its scheme must be https"),
        ("url: 'https://cms.example.com/', headers: {Authorization: x}", ".headers.Authorization: would put a cred"),
        ("url: 'https://cms.example.com/', allowed_private_cidrs: [ten]", ".allowed_private_cidrs: 'ten' is not a"),
        ("url: 'https://cms.example.com/', timeout_seconds: 301", ".timeout_seconds: must be 300 or less, not 301"),
    ],
)
def test_http_destination_that_could_not_be_called(settings, problem):
    (found,) = problems_with({DESTINATION: f"{{type: http, {settings}}}"})

    assert found.startswith(f"line 5, destinations.cms{problem}")


def test_model_and_parser_report_one_mistake_once():
    auth = "auth: {type: api-key, header: X-Key, secret_arn: my-secret}, url:"

    (problem,) = problems_with({"url:": auth})

    assert problem.startswith("line 5, destinations.cms.auth.secret_arn: must be the ARN of a secret")


def test_function_must_outlive_the_call_that_it_makes():
    assert problems_with({ROUTE: f"{ROUTE}\n    timeout_seconds: 10"}) == [
        (
            "line 10, routes.ready.timeout_seconds: is 10, but the call to cms may take 10 seconds: "
            "the function must outlive it"
        )
    ]


def test_function_must_outlive_the_one_that_it_waits_for():
    function = "{type: lambda, function_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:on-asset'%s}"
    assert problems_with({DESTINATION: function % ", timeout_seconds: 26"}) == [
        (
            "line 7, routes.ready.timeout_seconds: is 30, but the call to cms may take 26 seconds: "
            "the function must outlive it by 5 more"
        )
    ]
    assert problems_with({DESTINATION: function % ", timeout_seconds: 25"}) == []
    assert problems_with({DESTINATION: function % ", timeout_seconds: 100, invocation: event"}) == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("type: step-functions", ": give either definition or state_machine_arn: exactly one of the two"),
        (
            "type: step-functions, definition: missing.asl.json",
            ".definition: there is no file missing.asl.json next to the workflow file",
        ),
        ("type: step-functions, state_machine_arn: publish", ".state_machine_arn: must be the ARN of a state machine"),
        (
            f"type: step-functions, kind: EXPRESS, state_machine_arn: '{MACHINE}'",
            ".kind: kind and policy_statements belong to a definition; an existing machine has its own",
        ),
        ("type: sqs, queue_arn: my-queue", ".queue_arn: must be the ARN of a queue"),
        (
            "type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:a.fifo'",
            ": message_group_id belongs to a FIFO queue, and a FIFO queue needs it",
        ),
        (
            "type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:a.fifo', mode: data, message_group_id: all",
            ".message_group_id: message_group_id and manage_queue_policy are for the rule",
        ),
        (
            "type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:a', ordering: latest",
            ".ordering: circuit_breaker, ordering and kms_key need a mode",
        ),
        (
            "type: http, url: 'https://cms.example.com/', strict: {on_failure: block}",
            ".strict: strict belongs to ordering: strict",
        ),
        (
            "type: http, url: 'https://cms.example.com/', ordering: strict, strict: {on_failure: drop}",
            ".strict.on_failure: ",
        ),
        (
            "type: sns, topic_arn: 'arn:aws:sns:eu-west-1:123456789012:notices', ordering: strict",
            ".ordering: ordering: strict is for targets that keep an order themselves",
        ),
        ("type: sns, topic_arn: notices", ".topic_arn: must be the ARN of a topic"),
        ("type: event-bus, bus_arn: shared", ".bus_arn: must be the ARN of a bus"),
        ("type: lambda, function_arn: on-asset", ".function_arn: must be the ARN of a function"),
        ("type: firehose, stream_arn: lake", ".stream_arn: must be the ARN of a Firehose stream"),
        ("type: task-callback, correlation_key: 'data.'", ".correlation_key: 'data.' is not JMESPath"),
        (
            "type: http, url: 'https://a.example.com/', circuit_breaker: 1",
            ".circuit_breaker: must be a mapping",
        ),
        (
            "type: http, url: 'https://a.example.com/', circuit_breaker: {delay_seconds: 60, max_delay_seconds: 30}",
            ".circuit_breaker.delay_seconds: delay_seconds is above max_delay_seconds",
        ),
    ],
)
def test_other_destinations_that_could_not_be_reached(settings, problem):
    (found,) = problems_with({DESTINATION: f"{{{settings}}}"})

    assert found.startswith(f"line 5, destinations.cms{problem}")


def test_mistake_in_a_definition_names_file_and_state(tmp_path):
    machine = {"StartAt": "Frist", "States": {"First": {"Type": "Succeed"}}}
    (tmp_path / "publish.asl.json").write_text(json.dumps(machine), encoding="utf-8")

    found = problems(
        SMALL.replace(DESTINATION, "{type: step-functions, definition: publish.asl.json}"), folder=tmp_path
    )

    assert found == [
        (
            "line 5, destinations.cms.definition: publish.asl.json: "
            'StartAt names the state "Frist", which does not exist; did you mean "First"?'
        ),
        "line 5, destinations.cms.definition: publish.asl.json: First: no state leads to it",
    ]


@pytest.mark.parametrize("name", ['"a\\0b.yaml"', "/", "./", ".", '"\\n"', "a" * 5000 + ".json"])
def test_names_that_are_no_files_are_refused(name):
    definition = f"{{type: step-functions, definition: {name}}}"

    assert len(problems_with({"specification: mux": f"specification: {name}", DESTINATION: definition})) == 2


def test_input_transformer_belongs_to_a_target_of_the_rule():
    assert problems_with({ROUTE: f"{ROUTE}\n    input_transformer: {{template: '{{}}'}}"}) == [
        (
            "line 10, routes.ready.input_transformer: only targets that the rule itself sends to take an "
            "input_transformer (api-destination, logs, and sqs without a mode): use a transform's steps"
        )
    ]


@pytest.mark.parametrize(
    ("transformer", "problem"),
    [
        ("{template: '<id>'}", ".template: has <id>, and paths does not have it"),
        ("{paths: {id: id}, template: '<id>'}", ".paths: id is 'id', which is no path into the event"),
        ("{paths: {a.b: $$.id}, template: '{}'}", ".paths: 'a.b' must be letters, digits"),
        ("{template: ' '}", ".template: is empty: EventBridge takes JSON"),
        ("{template: 'an asset is ready'}", ".template: is no JSON once its placeholders have values"),
        ("{paths: {id: $$.id}, template: '{\"id\": <id>'}", ".template: is no JSON once its placeholders have values"),
        ("{paths: {id: $$.id}, template: '{\"<id>\": 1}'}", '.template: has a placeholder in the key "<id>"'),
        ("{template: '\"<aws.events.event.json>\"'}", ".template: has <aws.events.event.json> within a text"),
        ("{template: '<aws.events.rule>'}", ".template: has <aws.events.rule>, and there are aws.events.rule-arn"),
    ],
)
def test_input_transformer_that_eventbridge_would_refuse(transformer, problem):
    queue = "{type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:a'}"

    (found,) = problems_with({DESTINATION: queue, ROUTE: f"{ROUTE}\n    input_transformer: {transformer}"})

    assert problem in found


@pytest.mark.parametrize(
    "template",
    [
        '{"id": <id>, "text": "<id> is \\"<id>\\""}',
        '"<id> is ready"',
        "<id>",
        '"one"\n"two <id>"',
        "<aws.events.event.json>",
    ],
)
def test_input_transformer_that_eventbridge_takes_is_taken(template):
    queue = "{type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:a'}"
    transformer = f"{{paths: {{id: $$.id}}, template: {json.dumps(template)}}}"

    assert problems_with({DESTINATION: queue, ROUTE: f"{ROUTE}\n    input_transformer: {transformer}"}) == []


def test_input_transformers_mistakes_are_told_with_all_others():
    queue = "{type: sqs, queue_arn: 'arn:aws:sqs:eu-west-1:123456789012:a'}"
    transformer = "{paths: {id: id}, template: 'text <other>'}"

    found = problems_with(
        {DESTINATION: queue, ROUTE: f"{ROUTE}\n    input_transformer: {transformer}\n    stage: transformed"}
    )

    assert len(found) == 4


@pytest.mark.parametrize("account", ["012345678901", "012345670123"], ids=["a text in YAML", "octal in YAML"])
def test_account_without_quotes_keeps_its_twelve_digits_in_the_advice(account):
    ingress = f"ingress:\n  q: {{type: sqs, senders: {{a: {{account_ids: [{account}]}}}}}}\nroutes:"

    (problem,) = problems_with({"ingress: webhook": "ingress: q", "routes:": ingress})

    assert problem.endswith(f'must be text, not {account}: put it between quotes, "{account}"')


def test_input_transformer_for_a_log_group_has_the_form_that_eventbridge_writes():
    transformed = f"{ROUTE}\n    input_transformer: {{paths: {{id: $$.id}}, template: '{{\"id\": <id>}}'}}"

    assert problems_with({DESTINATION: "{type: logs}", ROUTE: transformed}) == [
        (
            "line 10, routes.ready.input_transformer.template: a log group takes "
            '{"timestamp": …, "message": …} only: EventBridge writes nothing else to it'
        )
    ]
    formed = transformed.replace('{"id": <id>}', '{"timestamp": <id>, "message": "<id>"}')
    assert problems_with({DESTINATION: "{type: logs}", ROUTE: formed}) == []


API = f"type: api-destination, url: 'https://crm.example.com/in', auth: {{type: basic, secret_arn: '{SECRET}'}}"


def test_api_destination_takes_what_eventbridge_takes():
    token = f"auth: {{type: oauth2-client-credentials, secret_arn: '{SECRET}', token_url: 'https://id.example.com/t'}}"
    assert problems_with({DESTINATION: f"{{{API}, method: PUT, rate_limit_per_second: 300}}"}) == []
    assert (
        problems_with(
            {DESTINATION: f"{{type: api-destination, url: 'https://a.example.com/*/x', path_values: [$$.id], {token}}}"}
        )
        == []
    )
    local = "type: api-destination, url: 'http://127.0.0.1:9/x', allow_http: true"
    arn = "arn:aws:events:eu-west-1:123456789012:connection/crm/0"
    assert problems_with({DESTINATION: f"{{{local}, connection: {{arn: '{arn}'}}}}"}) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"https://crm": "http://crm"}, ".url: its scheme must be https"),
        ({"crm.example.com": "169.254.169.254"}, ".url: its address is forbidden: 169.254.169.254 is link-local"),
        ({"crm.example.com": "10.1.2.3"}, ".url: its address is forbidden: 10.1.2.3 is not a public address"),
        ({"crm.example.com": "user@crm.example.com"}, ".url: it must not hold a user name or password"),
        ({"/in'": "/*/in'"}, ".url: path_values has 0 values, and url has 1 times *"),
        ({f", auth: {{type: basic, secret_arn: '{SECRET}'}}": ""}, ": give either auth or connection"),
        (
            {"'}": "'}, connection: {arn: 'arn:aws:events:eu-west-1:123456789012:connection/c/0'}"},
            ".auth: give either auth",
        ),
        ({"basic": "api-key"}, ".auth: header belongs to api-key, which needs it"),
        ({"type: basic": "type: basic, header: X-Key"}, ".auth.header: header belongs to api-key"),
        ({"type: basic": "type: basic, scope: all"}, ".auth.scope: scope belongs to oauth2-client-credentials"),
        ({"basic": "oauth2-client-credentials"}, ".auth: oauth2-client-credentials needs token_url"),
        ({"basic": "standard-webhooks"}, ".auth.type: must be 'api-key', 'basic' or 'oauth2-client-credentials', not"),
        ({SECRET: "hunter2"}, ".auth.secret_arn: must be the ARN of a secret"),
        ({"type: api": "rate_limit_per_second: 301, type: api"}, ".rate_limit_per_second: must be 300 or less"),
        (
            {
                "basic": "oauth2-client-credentials",
                f"'{SECRET}'": f"'{SECRET}', token_url: 'https://[::ffff:127.0.0.1]/t'",
            },
            ".auth.token_url: its address is forbidden",
        ),
    ],
)
def test_api_destination_that_eventbridge_could_not_call(change, problem):
    settings = API
    for old, new in change.items():
        assert old in settings
        settings = settings.replace(old, new)

    (found,) = problems_with({DESTINATION: f"{{{settings}}}"})

    assert found.startswith(f"line 5, destinations.cms{problem}")


def test_api_destination_has_a_name_of_its_own_that_aws_must_take():
    name = "c" * 40
    changes = {"name: media": f"name: {'m' * 20}", "  cms:": f"  {name}:", DESTINATION: f"{{{API}}}"}
    changes |= {ROUTE: f"    destination: {name}", ENVIRONMENT: "production: {region: eu-west-1}"}

    (found,) = problems_with(changes)

    assert found.endswith("has 72 characters; AWS takes 64: shorten the name")


def test_log_group_must_be_one_that_eventbridge_writes_to():
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:media"

    (found,) = problems_with({DESTINATION: f"{{type: logs, log_group: {{arn: '{arn}'}}}}"})

    assert found.startswith(
        "line 5, destinations.cms.log_group.arn: must be the ARN, without :* at its end, of a log group"
    )


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("ready-dlq", "routes.ready-dlq: media-dev-ready-dlq is the dead-letter queue of ready: choose another name"),
        ("webhook-dlq", "routes.webhook-dlq: media-dev-webhook-dlq is the dead-letter queue of webhook"),
        (
            "task-callbacks",
            "routes.task-callbacks: media-dev-task-callbacks is the function that registers task tokens",
        ),
    ],
)
def test_route_with_the_name_of_another_resource_is_refused(key, problem):
    (found,) = problems_with({"routes:": f"routes:\n  {key}: {{pattern: {{source: [a]}}, destination: cms}}"})

    assert problem in found


def test_rule_may_invoke_the_function_itself():
    assert (
        problems_with({ROUTE: f"{ROUTE}\n    invocation: direct\n    failure: {{function_retry: {{max_attempts: 0}}}}"})
        == []
    )


@pytest.mark.parametrize(
    ("destination", "more", "problem"),
    [
        ("{type: logs}", "", ".invocation: the rule itself sends to this destination, without a function"),
        (f"{{{API}}}", "", ".invocation: the rule itself sends to this destination"),
        (
            DESTINATION.replace("{", "{ordering: strict, "),
            "",
            ".invocation: ordering strict needs the queue, in which later events wait",
        ),
        (DESTINATION, "batch_size: 5", ".batch_size: batch_size belongs to a queue"),
        (
            DESTINATION.replace("}", ", ordering: strict}"),
            "",
            ".invocation: ordering strict needs the queue, in which later events wait",
        ),
        (
            DESTINATION,
            "failure: {function_retry: {max_attempts: 3}}",
            ".failure.function_retry.max_attempts: must be 2",
        ),
    ],
)
def test_direct_invocation_that_has_nothing_to_invoke_or_nothing_to_batch(destination, more, problem):
    changed = f"{ROUTE}\n    invocation: direct\n    {more}"

    (found,) = problems_with({DESTINATION: destination, ROUTE: changed})

    assert found.partition(": ")[0].partition(", ")[2] == f"routes.ready{problem.partition(': ')[0]}"
    assert problem in found


# ----------------------------------------------------------------------------------------------- transforms, stages


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("{mapp: {a: b}}", "[0]: there is no step 'mapp'; use one of: map, enrich, set, drop"),
        ("{map: {a.b: 'c['}}", "[0].map.a.b: 'c[' is not JMESPath"),
        ("{map: {}}", "[0].map: must be an object with at least one target path"),
        ("{map: {a: b}, set: {c: 1}}", "[0]: must be an object with exactly one key"),
        ("text", "[0]: must be a mapping"),
    ],
)
def test_step_that_the_transform_could_not_do(step, problem):
    transform = f"transforms:\n  shape:\n    pattern: {{source: [a]}}\n    steps:\n      - {step}\nroutes:"

    (found,) = problems_with({"routes:": transform})

    assert found.startswith(f"line 10, transforms.shape.steps{problem}")


def test_route_for_transformed_events_needs_a_transform():
    assert problems_with({ROUTE: f"{ROUTE}\n    stage: transformed"}) == [
        (
            "line 10, routes.ready.stage: there are no transforms, so no event is ever transformed: "
            "use received, or leave stage out"
        )
    ]


# ---------------------------------------------------------------------------------------------------------- failure


def test_waits_that_contradict_each_other_are_refused_where_they_come_together():
    changes = {
        "routes:": "failure: {redrive: {max_delay_seconds: 30}}\nroutes:",
        ROUTE: f"{ROUTE}\n    failure: {{retry: {{base_seconds: 1000}}}}",
    }

    assert problems_with(changes) == [
        (
            "line 6, failure.redrive: base_delay_seconds is 60 and max_delay_seconds 30: "
            "the longest wait is shorter than the first"
        ),
        (
            "line 11, routes.ready.failure.retry: base_seconds is 1000 and max_seconds 900: "
            "the longest wait is shorter than the first"
        ),
    ]


def test_large_batch_needs_a_window():
    assert problems_with({ROUTE: f"{ROUTE}\n    batch_size: 11"}) == [
        "line 10, routes.ready.batch_size: a batch_size above 10 needs a batch_window_seconds of at least 1"
    ]


# ----------------------------------------------------------------------------------------------------- environments


def test_workflow_without_environments_gets_an_example():
    assert problems_with({f"environments:\n  {ENVIRONMENT}": ""}) == [
        'line 1, environments: is missing: name at least one, as in environments: {dev: {region: "eu-west-1"}}'
    ]


def test_mistake_names_its_environment_unless_all_have_it():
    both = "dev: {region: eu-west-1, settings: {logs: {retention_days: 8}}}\n  prod: {region: eu-west-1}"

    assert problems_with({ENVIRONMENT: both, ROUTE: "    destination: cmz"}) == [
        'line 9, routes.ready.destination: there is no destination "cmz": did you mean "cms"?',
        (
            "line 11, environments.dev.settings.logs.retention_days: must be 0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, "
            "180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653, not 8 (environment dev)"
        ),
    ]


def test_key_missing_in_one_environment_is_reported_with_its_name():
    both = "dev: {}\n  prod: {region: eu-west-1}"

    assert problems_with({ENVIRONMENT: both}) == ["line 1, region: is missing: where it is deployed (environment dev)"]


def test_two_environments_with_one_state_are_refused():
    state = "state: {type: s3, bucket: states, key: k}"

    assert problems_with(
        {ENVIRONMENT: f"dev: {{region: eu-west-1, {state}}}\n  prod: {{region: eu-west-1, {state}}}"}
    ) == ["line 12, environments.prod: has the same state as dev, states/k: give it another key"]


def test_two_environments_whose_names_come_out_the_same_are_refused():
    environments = "environments:\n  live-dev: {region: eu-west-1}\n  dev: {region: eu-west-1, name: media-live}\n"

    assert problems_with({"environments:\n  dev: {region: eu-west-1}\n": environments}) == [
        "line 12, environments.dev: has the same state as live-dev, media-live-dev: give it another name"
    ]


def test_selected_environment_must_be_declared():
    assert problems_with({}, environ={"MEDIA_EVENTS_ENVIRONMENTS": "dve"}) == [
        'line 10, environments: MEDIA_EVENTS_ENVIRONMENTS asks for "dve", which is not declared: did you mean "dev"?'
    ]


# -------------------------------------------------------------------------------------------------- several at once


def test_every_mistake_is_reported_at_once_in_the_files_order():
    found = problems_with(
        {
            "specification: mux": 'specification: "${PRESET}"',
            "type: http": "type: htp",
            "[asset.ready]": "[{prefx: a}]",
            ROUTE: "    destination: cmz\n    destination: cms",
            "eu-west-1": "europe",
        }
    )

    assert [problem.partition(":")[0] for problem in found] == [
        "line 3, partners.mux.specification",
        "line 5, destinations.cms",
        "line 8, routes.ready.pattern.detail-type[0]",
        "line 9, routes.ready.destination",
        "line 10, routes.ready.destination",
        "line 12, environments.dev.region",
    ]


@pytest.mark.parametrize(
    ("failure", "wrong"),
    [
        ("{redrive: {max_age_seconds: 1166401}}", True),
        ("{redrive: {max_age_seconds: 1166400}}", False),
        ("{max_receive_count: 1000, retry: {max_seconds: 1167}}", True),
        ("{max_receive_count: 1000, retry: {max_seconds: 1166}}", False),
    ],
)
def test_a_message_that_would_expire_while_it_waits_is_refused(failure, wrong):
    found = problems_with({"environments:": f"failure: {failure}\nenvironments:"})

    assert bool(found) == wrong
    assert all(problem.startswith("line 10, failure") for problem in found)
