# Plans with the real provider and no access to AWS: policies are what AWS would get.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name     = "media-test-webhooks"
  bus_arn  = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = { bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }

  partners = {
    mux = { specification = jsonencode({ preset = "mux" }) }
    frame-io = {
      specification = jsonencode({ preset = "frameio-v4" })
      secret_arns = [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:frame-io-current-AbCdEf",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:frame-io-previous-AbCdEf",
      ]
    }
    intranet = { specification = jsonencode({ preset = "s3" }), secret_arns = [] }
  }
}

override_resource {
  target          = module.function.aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-webhooks"
  }
}

override_resource {
  target          = module.function.aws_lambda_function.this
  override_during = plan
  values = {
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-webhooks"
  }
}

override_resource {
  target          = aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-webhooks-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-webhooks-dlq"
  }
}

override_resource {
  target          = aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-webhooks-idempotency"
  }
}

override_resource {
  target          = aws_secretsmanager_secret.partner["mux"]
  override_during = plan
  values = {
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/mux-AbCdEf"
  }
}

override_resource {
  target          = aws_apigatewayv2_api.this
  override_during = plan
  values = {
    id            = "abc123"
    api_endpoint  = "https://abc123.execute-api.eu-west-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123"
  }
}

run "every_partner_has_an_address" {
  command = plan

  assert {
    condition     = output.webhook_urls["mux"] == "https://abc123.execute-api.eu-west-1.amazonaws.com/webhooks/mux" && length(output.webhook_urls) == 3
    error_message = "Each partner needs an address to send to."
  }

  assert {
    condition     = toset([for route in aws_apigatewayv2_route.this : route.route_key]) == toset(["ANY /webhooks/{partner}", "ANY /webhooks/frame-io", "ANY /webhooks/intranet", "ANY /webhooks/mux"])
    error_message = "Other methods must reach the function too, for handshakes and for a 405."
  }
}

run "t11_secrets_are_made_without_values_for_partners_that_bring_none" {
  command = plan

  assert {
    condition     = output.secret_names == { mux = "media-test-webhooks/mux" }
    error_message = "One secret, for the one partner without secrets of its own."
  }

  assert {
    condition = jsonencode(output.secret_arns) == jsonencode({
      frame-io = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:frame-io-current-AbCdEf", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:frame-io-previous-AbCdEf"]
      intranet = []
      mux      = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/mux-AbCdEf"]
    })
    error_message = "The current secret comes first, the previous one after it."
  }
}

run "the_function_may_touch_what_is_its_own_and_nothing_else" {
  command = plan

  assert {
    condition = jsonencode({ for sid, s in local.policy_statements : sid => s.resources }) == jsonencode({
      EventBodies     = ["arn:aws:s3:::kit/bodies/events/*"]
      FindEventBodies = ["arn:aws:s3:::kit"]
      Publish         = ["arn:aws:events:eu-west-1:123456789012:event-bus/media"]
      ReadSecrets = [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/*",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:frame-io-current-AbCdEf",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:frame-io-previous-AbCdEf",
      ]
      RecordRequests  = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-webhooks-idempotency"]
      SendDeadLetters = ["arn:aws:sqs:eu-west-1:123456789012:media-test-webhooks-dlq"]
    })
    error_message = "Its bus, its idempotency store, its dead-letter queue, its bodies, the secrets that it made and those of its partners."
  }
}

run "a_hundred_partners_stay_below_the_limits" {
  command = plan

  variables {
    partners = { for number in range(100) : "partner-of-ours-${number}" => { specification = jsonencode({ preset = "mux" }) } }
  }

  # IAM takes 10,240 characters for all inline policies of a role, and this leaves room for what every function has.
  assert {
    condition     = length(jsonencode(local.policy_statements)) <= 8000
    error_message = "The role's policy must not grow with the number of partners."
  }

  assert {
    condition     = length(aws_apigatewayv2_api.this[0].description) <= 1024
    error_message = "API Gateway takes 1024 characters."
  }
}

run "the_configuration_names_specifications_and_secrets" {
  command = plan

  assert {
    condition = jsonencode(jsondecode(local.configuration).partners.mux) == jsonencode({
      authentication             = "signature"
      previous_secret_seconds    = 86400
      principals                 = []
      require_client_certificate = false
      secret_arns                = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-test-webhooks/mux-AbCdEf"]
      specification              = { preset = "mux" }
    })
    error_message = "The function must know what a partner's calls look like, and where its secrets are."
  }
}

run "t9_only_this_api_may_invoke_the_function_and_only_for_webhooks" {
  command = plan

  assert {
    condition     = aws_lambda_permission.api.source_arn == "arn:aws:execute-api:eu-west-1:123456789012:abc123/*/*/webhooks/*" && aws_lambda_permission.api.principal == "apigateway.amazonaws.com"
    error_message = "API Gateway may invoke the function for this API's webhooks alone."
  }
}

run "t4_the_access_log_holds_nothing_secret" {
  command = plan

  assert {
    condition     = !can(regex("queryString|header|authorizer|body", aws_apigatewayv2_stage.this[0].access_log_settings[0].format)) && can(jsondecode(aws_apigatewayv2_stage.this[0].access_log_settings[0].format))
    error_message = "Query strings, headers and bodies may hold tokens and signatures."
  }
}

run "c4_calls_are_throttled" {
  command = plan

  variables {
    throttle = { rate = 5, burst = 7 }
  }

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_stage.this[0].route_settings : route.throttling_burst_limit == 7 && route.throttling_rate_limit == 5 if route.route_key != "ANY /webhooks/{partner}"])
    error_message = "Every partner has the limits for itself."
  }

  assert {
    condition     = alltrue([for route in aws_apigatewayv2_stage.this[0].route_settings : route.throttling_burst_limit == 10 && route.throttling_rate_limit == 5 if route.route_key == "ANY /webhooks/{partner}"]) && aws_apigatewayv2_stage.this[0].default_route_settings[0].throttling_rate_limit == 5
    error_message = "Whoever guesses at names must take nothing from the partners."
  }
}

run "the_idempotency_store_expires_by_itself_and_can_be_restored" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.idempotency.ttl[0].attribute_name == "expires" && aws_dynamodb_table.idempotency.point_in_time_recovery[0].enabled && aws_dynamodb_table.idempotency.billing_mode == "PAY_PER_REQUEST"
    error_message = "On demand, with a TTL, restorable."
  }
}

run "a_log_group_of_the_users_has_the_access_log" {
  command = plan

  variables {
    existing_access_log_group = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/platform/webhooks:*" }
  }

  assert {
    condition = (
      length(aws_cloudwatch_log_group.access) == 0 && output.access_log_group_name == "/platform/webhooks"
      && aws_apigatewayv2_stage.this[0].access_log_settings[0].destination_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/platform/webhooks"
    )
    error_message = "The module makes none, and API Gateway takes an ARN without :*."
  }
}

run "dead_letters_are_handed_to_review_under_a_key_that_is_known_in_the_plan" {
  command = plan

  assert {
    condition = jsonencode(output.dead_letter_queues) == jsonencode({
      "ingress/media-test-webhooks" = {
        queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-test-webhooks-dlq"
        queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-webhooks-dlq"
        hop               = "ingress/media-test-webhooks"
        destination       = "bus"
        source_queue_arn  = null
        source_queue_url  = null
        function_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-webhooks"
        consumer_arn      = null
        redrive_target    = "bus"
        idempotency_table = null
        ordered           = false
        redrive           = { max_count = 3, base_delay_seconds = 60, max_delay_seconds = 3600, max_age_seconds = 172800, max_per_second = 5 }
      }
    })
    error_message = "dlq-review takes this very shape."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy) == { redrivePermission = "denyAll" } && jsondecode(aws_sqs_queue.dlq[0].policy).Statement[0].Resource == "arn:aws:sqs:eu-west-1:123456789012:media-test-webhooks-dlq"
    error_message = "No queue may use it as its own DLQ, and its policy names it."
  }
}

run "without_a_bucket_it_makes_one" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
  }

  assert {
    condition     = length(module.bucket) == 1
    error_message = "Bodies and configuration need a bucket."
  }
}

run "partners_without_any_secret_need_no_permission_for_secrets" {
  command = plan

  variables {
    partners = { intranet = { specification = jsonencode({ preset = "s3" }), secret_arns = [] } }
  }

  assert {
    condition     = !contains(keys(local.policy_statements), "ReadSecrets")
    error_message = "A statement without resources is refused by IAM."
  }
}

run "a_specification_that_is_no_object_is_refused" {
  command = plan

  variables {
    partners = { mux = { specification = "mux" } }
  }

  expect_failures = [var.partners]
}

run "a_partners_name_is_part_of_an_address" {
  command = plan

  variables {
    partners = { "Frame.io" = { specification = "{}" } }
  }

  expect_failures = [var.partners]
}

run "t2_a_secret_itself_is_refused" {
  command = plan

  variables {
    partners = { mux = { specification = "{}", secret_arns = ["whsec_plain"] } }
  }

  expect_failures = [var.partners]
}

run "a_throttle_that_refuses_everybody_is_refused" {
  command = plan

  variables {
    throttle = { rate = 0 }
  }

  expect_failures = [var.throttle]
}

run "b17_a_body_must_fit_into_the_functions_memory" {
  command = plan

  variables {
    function = { memory_mb = 128 }
  }

  expect_failures = [var.max_body_bytes]
}

run "the_function_must_answer_before_the_gateway_gives_up" {
  command = plan

  variables {
    function = { timeout_seconds = 30 }
  }

  expect_failures = [aws_apigatewayv2_integration.function]
}

run "c8_a_bus_name_is_no_arn" {
  command = plan

  variables {
    bus_arn = "media"
  }

  expect_failures = [var.bus_arn]
}

run "alarms_go_to_people_or_to_the_team_by_their_severity" {
  command = plan

  variables {
    settings = {
      bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      alarms  = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:on-call"], warning = ["arn:aws:sns:eu-west-1:123456789012:chat"] } }
    }
  }

  assert {
    condition = { for fact, alarm in module.alarms.alarms : fact => one(alarm.actions["ALARM"]) } == {
      "4xx"             = "arn:aws:sns:eu-west-1:123456789012:chat"
      "5xx"             = "arn:aws:sns:eu-west-1:123456789012:on-call"
      "dlq-age"         = "arn:aws:sns:eu-west-1:123456789012:on-call"
      "latency"         = "arn:aws:sns:eu-west-1:123456789012:chat"
      "outdated-secret" = "arn:aws:sns:eu-west-1:123456789012:chat"
    }
    error_message = "A person is needed where events are lost or wait; anybody on the internet can cause 4xx."
  }

  assert {
    condition = { for fact, alarm in module.alarms.alarms : fact => "${split(" {", one(values(alarm.metrics)))[0]} ${alarm.comparison} ${alarm.threshold} ${alarm.periods}" } == {
      "4xx"             = "AWS/ApiGateway 4xx Average GreaterThanThreshold 0.5 3"
      "5xx"             = "AWS/ApiGateway 5xx Sum GreaterThanOrEqualToThreshold 1 1"
      "dlq-age"         = "AWS/SQS ApproximateAgeOfOldestMessage Maximum GreaterThanThreshold 14400 3"
      "latency"         = "AWS/ApiGateway Latency p99 GreaterThanThreshold 3000 3"
      "outdated-secret" = "MediaEvents OutdatedSecretUsed Sum GreaterThanThreshold 0 1"
    }
    error_message = "Each alarm watches its metric."
  }
}

run "alarms_can_be_off" {
  command = plan

  variables {
    settings = { bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" }, alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "An environment may want no alarms."
  }
}

run "with_snap_start_the_api_invokes_the_alias_and_may" {
  command = plan

  variables {
    function = { snap_start = true }
  }

  override_resource {
    target          = module.function.aws_lambda_alias.live
    override_during = plan
    values = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-webhooks:live"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:media-test-webhooks:live/invocations"
    }
  }

  assert {
    condition = (
      endswith(aws_apigatewayv2_integration.function.integration_uri, "function:media-test-webhooks:live/invocations")
      && aws_lambda_permission.api_of_alias[0].qualifier == "live" && aws_lambda_permission.api_of_alias[0].principal == "apigateway.amazonaws.com"
      && aws_lambda_permission.api.qualifier == null
    )
    error_message = "The permission for the function stays, until the API has turned to the alias."
  }
}

run "without_snap_start_there_is_one_permission" {
  command = plan

  assert {
    condition     = length(aws_lambda_permission.api_of_alias) == 0
    error_message = "There is no alias."
  }
}
