# Plans with the real provider and without AWS: the policies are those that AWS would get.

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
  account_id        = "123456789012"
  allowed_rule_arns = ["arn:aws:events:eu-west-1:123456789012:rule/media/media-test-cms"]
  name              = "media-test-cms"
  hop               = "route/cms"
  handler           = "media_events.handlers.deliver.handler"
  has_queue         = false
  invoking_rules    = { cms = "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-cms" }
  configuration     = jsonencode({ destination = {} })
  environment       = { IDEMPOTENCY_TABLE = "events" }
  settings = {
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
    bucket  = { name = "media", arn = "arn:aws:s3:::media" }
    alarms  = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:operators"], warning = ["arn:aws:sns:eu-west-1:123456789012:chat"] } }
  }
}

override_resource {
  target          = aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq", url = "https://sqs.example/media-test-cms-dlq" }
}

override_resource {
  target          = aws_sqs_queue.this
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms", url = "https://sqs.example/media-test-cms" }
}

override_resource {
  target          = module.function[0].aws_iam_role.this
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/media-test-cms" }
}

override_resource {
  target          = module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:cms" }
}

run "only_the_rules_may_invoke_it" {
  command = plan

  assert {
    condition = (
      keys(aws_lambda_permission.rule) == ["cms"]
      && aws_lambda_permission.rule["cms"].principal == "events.amazonaws.com"
      && aws_lambda_permission.rule["cms"].action == "lambda:InvokeFunction"
      && aws_lambda_permission.rule["cms"].source_arn == "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-cms"
      && aws_lambda_permission.rule["cms"].statement_id == "AllowRule-cms"
    )
    error_message = "Without this permission every event is a dead letter; with a wider one any rule could invoke the function."
  }
}

run "what_fails_on_every_attempt_is_kept" {
  command = plan

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.this[0].function_name == "media-test-cms"
      && aws_lambda_function_event_invoke_config.this[0].maximum_retry_attempts == 2
      && aws_lambda_function_event_invoke_config.this[0].maximum_event_age_in_seconds == 21600
      && aws_lambda_function_event_invoke_config.this[0].destination_config[0].on_failure[0].destination == "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
    )
    error_message = "EventBridge counts an asynchronous invocation as delivered: without the destination a failed event would be lost."
  }

  assert {
    condition = [for statement in jsondecode(module.function[0].policy).Statement : statement if statement.Sid == "GiveUp"] == [
      { Sid = "GiveUp", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"] },
    ]
    error_message = "Lambda sends to the destination with the function's role."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dlq[0].policy).Statement == [
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AllowRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
        Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:events:eu-west-1:123456789012:rule/media/media-test-cms"] } }
      },
    ]
    error_message = "The rule's own dead letters must get in, and nobody else's."
  }

  assert {
    condition = (
      !endswith(aws_sqs_queue.dlq[0].name, ".fifo") && aws_sqs_queue.dlq[0].message_retention_seconds == 1209600
      && aws_sqs_queue.dlq[0].visibility_timeout_seconds >= 360 && aws_sqs_queue.dlq[0].sqs_managed_sse_enabled
      && jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy) == { redrivePermission = "denyAll" }
    )
    error_message = "Dead letters are kept for 14 days, encrypted, and outlast the redrive function's timeout six times."
  }
}

run "the_function_knows_that_there_is_no_queue" {
  command = plan

  assert {
    condition = { for name in ["HOP", "INVOCATION", "DEAD_LETTER_QUEUE_URL", "IDEMPOTENCY_TABLE"] : name => module.function[0].environment[name] } == {
      HOP                   = "route/cms"
      INVOCATION            = "direct"
      DEAD_LETTER_QUEUE_URL = "https://sqs.example/media-test-cms-dlq"
      IDEMPOTENCY_TABLE     = "events"
    }
    error_message = "The handler reads these variables."
  }
}

run "lambdas_own_retries_are_as_asked_for" {
  command = plan

  variables {
    function_retry = { max_attempts = 0, max_age_seconds = 60 }
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.this[0].maximum_retry_attempts == 0 && aws_lambda_function_event_invoke_config.this[0].maximum_event_age_in_seconds == 60
    error_message = "Both halves must be set: Lambda would try twice otherwise."
  }
}

run "alarms_tell_of_what_waits_and_what_is_lost" {
  command = plan

  assert {
    condition = (
      module.alarms.alarms["event-age"].threshold == 3600000 && startswith(one(values(module.alarms.alarms["event-age"].metrics)), "AWS/Lambda AsyncEventAge Maximum")
      && startswith(one(values(module.alarms.alarms["destination-failed"].metrics)), "AWS/Lambda DestinationDeliveryFailures Sum")
      && endswith(one(values(module.alarms.alarms["dlq-age"].metrics)), "{\"QueueName\":\"media-test-cms-dlq\"}")
      && output.alarm_names == {
        critical = { for fact in ["destination-failed", "dlq-age", "errors"] : "route/cms/${fact}" => "media-test-cms-${fact}" }
        warning  = { "route/cms/event-age" = "media-test-cms-event-age" }
      }
      && alltrue([for alarm in values(module.alarms.alarms) : alarm.missing == "notBreaching"])
    )
    error_message = "Lambda reports no zeros: no data is no alarm."
  }
}

run "a_hop_whose_rule_sends_by_itself_has_a_dead_letter_queue_and_nothing_else" {
  command = plan

  variables {
    invoking_rules = {}
    handler        = null
    configuration  = null
  }

  assert {
    condition = (
      length(module.function) == 0 && length(aws_lambda_permission.rule) == 0 && length(aws_lambda_function_event_invoke_config.this) == 0
      && output.queue_arn == null && output.function_arn == null && output.policy == null
      && output.alarm_names == { critical = { "route/cms/dlq-age" = "media-test-cms-dlq-age" }, warning = {} }
    )
    error_message = "What nobody uses must not be made."
  }

  assert {
    condition = (
      !endswith(aws_sqs_queue.dlq[0].name, ".fifo") && aws_sqs_queue.dlq[0].sqs_managed_sse_enabled
      && jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy) == { redrivePermission = "denyAll" }
      && [for statement in jsondecode(output.dlq_policy).Statement : statement.Sid] == ["DenyWithoutTls", "AllowRules"]
    )
    error_message = "EventBridge refuses FIFO dead-letter queues, and its rule alone sends here."
  }
}

# A route that became "direct", while its queue runs empty.
run "a_function_that_rules_invoke_may_consume_a_queue_besides" {
  command = plan

  variables {
    has_queue = true
  }

  assert {
    condition = (
      { for name in ["INVOCATION", "MAX_RECEIVE_COUNT", "QUEUE_URL"] : name => output.environment[name] } == {
        INVOCATION        = "direct"
        MAX_RECEIVE_COUNT = "5"
        QUEUE_URL         = "https://sqs.example/media-test-cms"
      }
      && length(aws_lambda_event_source_mapping.this) == 1 && length(aws_lambda_permission.rule) == 1
      && jsondecode(aws_sqs_queue.this[0].redrive_policy).deadLetterTargetArn == aws_sqs_queue.dlq[0].arn
      && jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy).redrivePermission == "byQueue"
    )
    error_message = "The function must know its queue, and both ways of events end in one dead-letter queue."
  }
}

run "a_rule_by_its_name_is_refused" {
  command = plan

  variables {
    invoking_rules = { cms = "media-test-cms" }
  }

  expect_failures = [var.invoking_rules]
}

run "more_retries_than_lambda_makes_are_refused" {
  command = plan

  variables {
    function_retry = { max_attempts = 3 }
  }

  expect_failures = [var.function_retry]
}

run "with_snap_start_rules_and_the_queue_invoke_the_alias" {
  command = plan

  variables {
    has_queue = true
    function  = { snap_start = true }
  }

  override_resource {
    target          = module.function[0].aws_lambda_alias.live
    override_during = plan
    values = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms:live"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms:live/invocations"
    }
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.this[0].function_name == "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms:live"
      && output.invocation_arn == "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms:live"
    )
    error_message = "$LATEST has no snapshot."
  }

  assert {
    condition = (
      aws_lambda_permission.rule_of_alias["cms"].qualifier == "live"
      && aws_lambda_permission.rule_of_alias["cms"].source_arn == aws_lambda_permission.rule["cms"].source_arn
      && aws_lambda_permission.rule["cms"].qualifier == null
    )
    error_message = "The rule needs a permission for the alias, and, until it names the alias, that for the function."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.alias[0].qualifier == "live"
      && aws_lambda_function_event_invoke_config.alias[0].maximum_retry_attempts == aws_lambda_function_event_invoke_config.this[0].maximum_retry_attempts
      && aws_lambda_function_event_invoke_config.alias[0].destination_config[0].on_failure[0].destination == aws_lambda_function_event_invoke_config.this[0].destination_config[0].on_failure[0].destination
    )
    error_message = "What fails on the alias must end in the dead-letter queue too: its settings are its own."
  }
}

run "without_snap_start_nothing_names_an_alias" {
  command = plan

  assert {
    condition     = length(aws_lambda_permission.rule_of_alias) + length(aws_lambda_function_event_invoke_config.alias) == 0
    error_message = "There is no alias."
  }
}
