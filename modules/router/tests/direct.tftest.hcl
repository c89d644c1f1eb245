# Hops without a queue: the rule invokes the function, with the real provider and no access to AWS.

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
  name    = "media-test"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
  }

  transforms = {
    tidy = {
      pattern        = jsonencode({ source = ["partner.mux"] })
      steps          = jsonencode([{ set = { a = 1 } }])
      invocation     = "direct"
      function_retry = { max_attempts = 0 }
      failure        = { redrive = { max_count = 5 } }
    }
    queued = { pattern = jsonencode({ source = ["partner.qc"] }), steps = jsonencode([{ set = { a = 1 } }]) }
  }

  routes = {
    cms = {
      pattern     = jsonencode({ detail-type = ["asset.ready"] })
      destination = "catalogue"
      invocation  = "direct"
      enabled     = false
      rule_retry  = { max_age_seconds = 3600, max_attempts = 10 }
      target      = { http = { url = "https://cms.example.com/events" } }
    }
    mam  = { pattern = jsonencode({ detail-type = ["asset.ready"] }), target = { http = { url = "https://mam.example.com/events" } } }
    lake = { pattern = jsonencode({ detail-type = ["asset.ready"] }), target = { logs = {} } }
  }
}

override_resource {
  target          = aws_dynamodb_table.idempotency
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency" }
}

override_resource {
  target          = module.hop["cms"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq", url = "https://sqs.example/media-test-cms-dlq" }
}

override_resource {
  target          = module.hop["tidy"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-tidy-dlq", url = "https://sqs.example/media-test-tidy-dlq" }
}

override_resource {
  target          = module.hop["cms"].module.function[0].aws_lambda_function.this
  override_during = plan
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms" }
}

override_resource {
  target          = module.hop["cms"].module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:cms" }
}

run "the_rules_target_is_the_function_with_a_dead_letter_queue_and_retries_of_its_own" {
  command = plan

  assert {
    condition = (
      toset(keys(aws_cloudwatch_event_target.this)) == toset(["tidy", "cms", "queued", "mam", "lake"])
      && [for key, hop in module.hop : key if hop.queue_name != null] == ["mam", "queued"]
      && [for key, hop in module.hop : key if hop.function_name != null] == ["cms", "mam", "queued", "tidy"]
    )
    error_message = "Each hop has one target, of the kind that it asks for."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.this["cms"].arn == "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms"
      && aws_cloudwatch_event_target.this["cms"].dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
      && aws_cloudwatch_event_target.this["cms"].retry_policy[0].maximum_event_age_in_seconds == 3600
      && aws_cloudwatch_event_target.this["cms"].retry_policy[0].maximum_retry_attempts == 10
      && aws_cloudwatch_event_rule.this["cms"].state == "DISABLED"
    )
    error_message = "The rule must have where to put what it could not hand over."
  }
}

run "functions_do_and_may_do_the_same_as_behind_a_queue_but_for_the_queue" {
  command = plan

  assert {
    condition = jsondecode(module.hop["cms"].policy).Statement == [
      { Sid = "WriteLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:cms:*"] },
      { Sid = "ReadConfiguration", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::kit/configuration/media-test-cms/*"] },
      { Sid = "GiveUp", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"] },
      { Sid = "IdempotencyStore", Effect = "Allow", Action = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency"] },
    ]
    error_message = "The function may do this and nothing else."
  }

  assert {
    condition = (
      module.hop["cms"].environment["INVOCATION"] == "direct"
      && module.hop["cms"].environment["HOP"] == "route/cms"
      && module.hop["cms"].environment["IDEMPOTENCY_TABLE"] == "media-test-idempotency"
      && !contains(keys(module.hop["cms"].environment), "QUEUE_URL")
      && module.hop["tidy"].environment["BUS_ARN"] == "arn:aws:events:eu-west-1:123456789012:event-bus/media"
      && module.hop["tidy"].environment["BODIES_URI"] == "s3://kit/bodies/events/"
      && module.hop["tidy"].environment["IDEMPOTENCY_TABLE"] == "media-test-idempotency"
    )
    error_message = "The environment must be what the contract between modules and functions says."
  }

  assert {
    condition     = local.destination_documents["cms"].name == "catalogue" && length(aws_dynamodb_table.idempotency) == 1
    error_message = "The idempotency store guards deliveries as behind a queue."
  }
}

run "dead_letters_go_back_by_the_bus_for_the_hop_alone" {
  command = plan

  assert {
    condition = jsonencode(output.dead_letter_queues["route/cms"]) == jsonencode({
      queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
      queue_url         = "https://sqs.example/media-test-cms-dlq"
      hop               = "route/cms"
      destination       = "catalogue"
      source_queue_arn  = null
      source_queue_url  = null
      function_arn      = null
      consumer_arn      = null
      ordered           = false
      redrive_target    = "bus"
      rule_arn          = "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-cms"
      redrive           = { max_count = 3, base_delay_seconds = 60, max_delay_seconds = 3600, max_age_seconds = 172800, max_per_second = 5 }
      idempotency_table = { name = "media-test-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency" }
    })
    error_message = "There is no queue to go back to; the rule takes what is redriven to its route."
  }

  assert {
    condition = (
      output.dead_letter_queues["transform/tidy"].redrive_target == "bus" && output.dead_letter_queues["transform/tidy"].redrive.max_count == 5
      && output.dead_letter_queues["transform/queued"].redrive_target == "queue"
      && jsondecode(aws_cloudwatch_event_rule.this["tidy"].event_pattern).detail.metadata.redrive.route == [{ exists = false }, "transform/tidy"]
    )
    error_message = "Transforms as well."
  }
}

run "a_hop_with_snap_start_is_invoked_by_its_alias_and_the_others_are_not" {
  command = plan

  variables {
    transforms = {
      tidy = {
        pattern    = jsonencode({ source = ["partner.mux"] })
        steps      = jsonencode([{ set = { a = 1 } }])
        invocation = "direct"
        function   = { snap_start = true }
      }
    }
  }

  override_resource {
    target          = module.hop["tidy"].module.function[0].aws_lambda_alias.live
    override_during = plan
    values = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-tidy:live"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:media-test-tidy:live/invocations"
    }
  }

  assert {
    condition     = endswith(aws_cloudwatch_event_target.this["tidy"].arn, "function:media-test-tidy:live")
    error_message = "The rule must name the alias."
  }
}
