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
  name           = "media-test-services"
  ingress        = "custom-bus"
  source_bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
  bus_arn        = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    bucket  = { name = "media", arn = "arn:aws:s3:::media" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
  }

  partners = {
    mediaconvert = {
      sources       = ["aws.mediaconvert"]
      specification = jsonencode({ preset = "mediaconvert" })
      pattern       = jsonencode({ detail-type = ["MediaConvert Job State Change"], detail = { status = ["COMPLETE", "ERROR"] } })
    }
    s3 = { sources = ["aws.s3"], specification = jsonencode({ preset = "s3" }) }
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-services"
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_lambda_function.this
  override_during = plan
  values = {
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-services"
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-services"
  }
}

override_resource {
  target          = module.ingress.module.consumer.aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-services-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-services-dlq"
  }
}

override_resource {
  target          = module.ingress.module.consumer.aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-services"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-services"
  }
}

override_resource {
  target          = module.ingress.aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-services-idempotency"
  }
}

override_resource {
  target          = aws_cloudwatch_event_rule.this["mediaconvert"]
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:rule/media-test-services-mediaconvert"
  }
}

override_resource {
  target          = aws_cloudwatch_event_rule.this["s3"]
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:rule/media-test-services-s3"
  }
}

run "every_partner_has_a_rule_for_its_sources" {
  command = plan

  assert {
    condition = { for partner, pattern in output.event_patterns : partner => jsonencode(jsondecode(pattern)) } == {
      mediaconvert = jsonencode({ detail = { status = ["COMPLETE", "ERROR"] }, detail-type = ["MediaConvert Job State Change"], source = ["aws.mediaconvert"] })
      s3           = jsonencode({ source = ["aws.s3"] })
    }
    error_message = "A rule takes its partner's sources, and follows the user's pattern besides."
  }

  assert {
    condition     = alltrue([for rule in aws_cloudwatch_event_rule.this : rule.event_bus_name == "default"])
    error_message = "Rules must be on the bus that events come from."
  }
}

run "only_these_rules_may_send_to_the_queue" {
  command = plan

  assert {
    condition = jsonencode([for s in jsondecode(output.queue_policy).Statement : s if s.Effect == "Allow"]) == jsonencode([{
      Action    = "sqs:SendMessage"
      Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:events:eu-west-1:123456789012:rule/media-test-services-*"] } }
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-services"
      Sid       = "AllowRules"
    }])
    error_message = "EventBridge may send for these rules, and for no other."
  }

  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.this : target.arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-services" && target.dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-services-dlq" && target.retry_policy[0].maximum_event_age_in_seconds == 86400 && target.retry_policy[0].maximum_retry_attempts == 185])
    error_message = "Rules send to the queue, and give up to its dead-letter queue."
  }
}

run "a_hundred_partners_stay_below_the_limits" {
  command = plan

  variables {
    partners = { for number in range(100) : "partner-of-ours-${number}" => { sources = ["example.${number}"], specification = jsonencode({ preset = "s3" }) } }
  }

  assert {
    condition     = length(output.queue_policy) <= 8192
    error_message = "SQS takes 8192 bytes."
  }
}

run "the_function_knows_whose_sources_they_are" {
  command = plan

  assert {
    condition = jsonencode(jsondecode(module.ingress.configuration)) == jsonencode({ partners = {
      mediaconvert = { sources = ["aws.mediaconvert"], specification = { preset = "mediaconvert" } }
      s3           = { sources = ["aws.s3"], specification = { preset = "s3" } }
    } })
    error_message = "An event is its partner's by its source."
  }

  assert {
    condition     = output.environment["INGRESS"] == "custom-bus" && output.dead_letter_queues["ingress/media-test-services"].redrive_target == "queue"
    error_message = "Events of the default bus come by the custom-bus ingress, and dead letters go back to the queue."
  }
}

run "sources_may_be_the_beginning_of_some" {
  command = plan

  variables {
    source_bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
    partners       = { s3 = { sources = ["example.qc", "example.studio.*"] } }
  }

  assert {
    condition     = jsonencode(jsondecode(output.event_patterns["s3"])) == jsonencode({ source = ["example.qc", { prefix = "example.studio." }] })
    error_message = "A * at the end is EventBridge's prefix."
  }

  assert {
    condition     = jsondecode(module.ingress.configuration) == { partners = { s3 = { sources = ["example.qc", "example.studio.*"] } } }
    error_message = "Without a specification the partner speaks the envelope."
  }
}

run "an_alternative_that_names_a_source_keeps_it_and_the_others_get_the_partners" {
  command = plan

  variables {
    partners = {
      s3 = {
        sources       = ["aws.s3", "aws.media*"]
        specification = jsonencode({ preset = "s3" })
        pattern = jsonencode({ "$or" = [
          { source = ["aws.s3"], "detail.reason" = ["<&>"] },
          { "replay-name" = ["again"] },
          { "$or" = [{ source = ["aws.mediaconvert"] }, { account = ["123456789012"] }] },
        ] })
      }
    }
  }

  assert {
    condition = jsonencode(jsondecode(output.event_patterns["s3"])) == jsonencode({ "$or" = [
      { source = ["aws.s3"], "detail.reason" = ["<&>"] },
      { "replay-name" = ["again"], source = ["aws.s3", { prefix = "aws.media" }] },
      { "$or" = [{ source = ["aws.mediaconvert"] }, { account = ["123456789012"], source = ["aws.s3", { prefix = "aws.media" }] }] },
    ] })
    error_message = "No alternative takes another's events, and none of the user's conditions is lost."
  }
}

run "an_alternative_that_names_anothers_source_is_refused" {
  command = plan

  variables {
    partners = {
      s3 = {
        sources       = ["aws.s3"]
        specification = jsonencode({ preset = "s3" })
        pattern       = jsonencode({ "$or" = [{ source = ["aws.s3"] }, { "$or" = [{ source = ["aws.ec2"] }, { id = ["1"] }] }] })
      }
    }
  }

  expect_failures = [aws_cloudwatch_event_rule.this]
}

run "a_pattern_is_as_long_as_its_characters" {
  command = plan

  variables {
    partners = {
      s3 = {
        sources       = ["aws.s3"]
        specification = jsonencode({ preset = "s3" })
        pattern       = jsonencode({ detail = { title = [join("", [for n in range(600) : "<&>"])] } })
      }
    }
  }

  assert {
    condition     = length(output.event_patterns["s3"]) > 2048 && local.pattern_lengths["s3"] == 1800 + length("{\"detail\":{\"title\":[\"\"]},\"source\":[\"aws.s3\"]}")
    error_message = "EventBridge gets <, > and & themselves."
  }
}

run "a_partners_bus_is_an_ingress_of_its_own" {
  command = plan

  variables {
    ingress        = "partner-bus"
    source_bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/aws.partner/example.com/media/1"
    partners       = { s3 = { sources = ["aws.partner/example.com/media/1"], specification = "{}" } }
  }

  assert {
    condition     = output.environment["INGRESS"] == "partner-bus" && endswith(module.alarms.alarms["s3-rule-failed"].metrics["failed"], jsonencode({ EventBusName = "aws.partner/example.com/media/1", RuleName = "media-test-services-s3" }))
    error_message = "Events must name the way they came, and alarms the bus."
  }
}

run "alarms_know_that_the_default_bus_is_not_named" {
  command = plan

  assert {
    condition     = endswith(module.alarms.alarms["s3-rule-failed"].metrics["lost"], jsonencode({ RuleName = "media-test-services-s3" }))
    error_message = "EventBridge reports rules of the default bus without the bus."
  }
}

run "published_events_do_not_come_in_again" {
  command = plan

  variables {
    partners = { one = { sources = ["partner.one"] } }
  }

  expect_failures = [var.partners]
}

run "nor_do_they_by_a_beginning" {
  command = plan

  variables {
    partners = { one = { sources = ["p*"] } }
  }

  expect_failures = [var.partners]
}

run "a_partner_without_sources_is_refused" {
  command = plan

  variables {
    partners = { one = { sources = [] } }
  }

  expect_failures = [var.partners]
}

run "a_partner_of_a_partners_bus_needs_a_specification" {
  command = plan

  variables {
    ingress        = "partner-bus"
    source_bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/aws.partner/example.com/media/1"
    partners       = { one = { sources = ["aws.partner/example.com/media/1"] } }
  }

  expect_failures = [var.partners]
}

run "the_source_is_no_part_of_the_users_pattern" {
  command = plan

  variables {
    partners = { one = { sources = ["aws.s3"], pattern = jsonencode({ source = ["aws.ec2"] }) } }
  }

  expect_failures = [var.partners]
}

run "a_field_that_no_event_has_is_refused" {
  command = plan

  variables {
    partners = { one = { sources = ["aws.s3"], pattern = jsonencode({ detailtype = ["Object Created"] }) } }
  }

  expect_failures = [var.partners]
}

run "a_pattern_that_is_no_object_is_refused" {
  command = plan

  variables {
    partners = { one = { sources = ["aws.s3"], pattern = "{}" } }
  }

  expect_failures = [var.partners]
}

run "a_rules_name_has_64_characters" {
  command = plan

  variables {
    partners = { "a-partner-whose-name-is-much-longer-than-names-should-be" = { sources = ["aws.s3"] } }
  }

  expect_failures = [var.partners]
}

run "a_buss_name_is_not_its_arn" {
  command = plan

  variables {
    source_bus_arn = "media"
  }

  expect_failures = [var.source_bus_arn]
}
