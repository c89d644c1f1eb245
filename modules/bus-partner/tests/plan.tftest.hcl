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
  name              = "media-test-shop"
  event_source_name = "aws.partner/shop.example/media/1"
  bus_arn           = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  partner           = "shop"
  specification     = jsonencode({ id = "body.id", type = "envelope.\"detail-type\"" })
  settings          = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
}

override_resource {
  target          = aws_cloudwatch_event_bus.this
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:event-bus/aws.partner/shop.example/media/1"
  }
}

override_resource {
  target          = module.ingress[0].aws_cloudwatch_event_rule.this["partner"]
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:rule/aws.partner/shop.example/media/1/media-test-shop-shop"
  }
}

override_resource {
  target          = aws_cloudwatch_event_rule.forward
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:rule/aws.partner/shop.example/media/1/media-test-shop"
  }
}

override_resource {
  target          = aws_iam_role.forward
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-shop"
  }
}

override_resource {
  target          = aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-shop-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-shop-dlq"
  }
}

override_resource {
  target          = module.ingress[0].module.ingress.module.consumer.module.function[0].aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-shop"
  }
}

override_resource {
  target          = module.ingress[0].module.ingress.module.consumer.module.function[0].aws_lambda_function.this
  override_during = plan
  values = {
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-shop"
  }
}

override_resource {
  target          = module.ingress[0].module.ingress.module.consumer.module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-shop"
  }
}

override_resource {
  target          = module.ingress[0].module.ingress.module.consumer.aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-shop-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-shop-dlq"
  }
}

override_resource {
  target          = module.ingress[0].module.ingress.module.consumer.aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-shop"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-shop"
  }
}

override_resource {
  target          = module.ingress[0].module.ingress.aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-shop-idempotency"
  }
}

run "the_source_is_associated_with_a_bus_of_its_name" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_bus.this[0].name == "aws.partner/shop.example/media/1" && aws_cloudwatch_event_bus.this[0].event_source_name == "aws.partner/shop.example/media/1"
    error_message = "EventBridge wants a bus that has the source's very name."
  }

  assert {
    condition     = output.bus_arn == "arn:aws:events:eu-west-1:123456789012:event-bus/aws.partner/shop.example/media/1" && length(aws_cloudwatch_event_archive.this) == 0
    error_message = "The outputs must name the bus, and nothing be kept unless asked for."
  }
}

run "its_events_go_through_the_function_into_the_bus" {
  command = plan

  assert {
    condition     = module.ingress[0].environment["INGRESS"] == "partner-bus" && module.ingress[0].environment["BUS_ARN"] == "arn:aws:events:eu-west-1:123456789012:event-bus/media"
    error_message = "Events must name the way they came, and go to the bus."
  }

  assert {
    condition     = jsondecode(output.event_pattern) == { source = ["aws.partner/shop.example/media/1"] } && module.ingress[0].event_patterns["partner"] == output.event_pattern
    error_message = "The rule takes events whose source is the event source's name."
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.forward) == 0 && length(aws_sqs_queue.dlq) == 0 && output.dead_letter_queues["ingress/media-test-shop"].redrive_target == "queue"
    error_message = "There is one way to the bus, and dead letters go back to its queue."
  }
}

run "names_are_short_whatever_the_bus_is_called" {
  command = plan

  assert {
    condition     = output.rule_name == "media-test-shop-shop" && output.role_arns == { "ingress/media-test-shop" = "arn:aws:iam::123456789012:role/media-test-shop" }
    error_message = "A bus's name is no name for a role."
  }
}

run "events_can_be_forwarded_unmodified_by_a_role_that_is_this_rules_alone" {
  command = plan

  variables {
    forward_unmodified = true
    partner            = null
    specification      = null
    pattern            = jsonencode({ detail-type = ["Asset Ready"] })
  }

  assert {
    condition     = jsonencode(jsondecode(aws_cloudwatch_event_rule.forward[0].event_pattern)) == jsonencode({ detail-type = ["Asset Ready"], source = ["aws.partner/shop.example/media/1"] })
    error_message = "The rule takes the source's events, and follows the user's pattern besides."
  }

  assert {
    condition     = aws_cloudwatch_event_target.forward[0].arn == "arn:aws:events:eu-west-1:123456789012:event-bus/media" && aws_cloudwatch_event_target.forward[0].role_arn == "arn:aws:iam::123456789012:role/media-test-shop" && aws_cloudwatch_event_target.forward[0].dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-shop-dlq" && aws_cloudwatch_event_target.forward[0].retry_policy[0].maximum_retry_attempts == 185
    error_message = "From bus to bus, with retries and a dead-letter queue."
  }

  assert {
    condition = jsondecode(aws_iam_role.forward[0].assume_role_policy).Statement == [{
      Sid       = "Rule"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/aws.partner/shop.example/media/1/media-test-shop" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }]
    error_message = "EventBridge may take the role for this rule, and for no other."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.forward[0].policy).Statement == [{ Sid = "PutOnBus", Effect = "Allow", Action = ["events:PutEvents"], Resource = ["arn:aws:events:eu-west-1:123456789012:event-bus/media"] }]
    error_message = "The role may put events on this bus, and nothing else."
  }

  assert {
    condition = jsondecode(aws_sqs_queue.dlq[0].policy).Statement == [
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-shop-dlq"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AllowRule"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-shop-dlq"
        Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/aws.partner/shop.example/media/1/media-test-shop" } }
      },
    ]
    error_message = "Only this rule may send to the dead-letter queue."
  }

  assert {
    condition     = length(module.ingress) == 0 && length(output.function_arns) == 0 && length(output.idempotency_tables) == 0 && output.role_arns == { "ingress/media-test-shop" = "arn:aws:iam::123456789012:role/media-test-shop" } && output.dead_letter_queues["ingress/media-test-shop"].redrive_target == "none"
    error_message = "No function, and dead letters that nobody could put on the bus again go to a person."
  }
}

run "a_dead_letter_queue_of_the_users_takes_what_can_not_be_sent_unmodified" {
  command = plan

  variables {
    forward_unmodified = true
    partner            = null
    specification      = null
    existing_dlq       = { arn = "arn:aws:sqs:eu-west-1:123456789012:teams-dlq", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq" }
  }

  assert {
    condition     = length(aws_sqs_queue.dlq) == 0 && aws_cloudwatch_event_target.forward[0].dead_letter_config[0].arn == var.existing_dlq.arn && output.dead_letter_queues["ingress/media-test-shop"].queue_url == var.existing_dlq.url
    error_message = "No queue is made, and the rule and the review use the user's."
  }

  assert {
    condition     = [for s in jsondecode(output.existing_dlq_policies["ingress/media-test-shop"]).Statement : [s.Sid, s.Resource, s.Condition.ArnEquals["aws:SourceArn"]]] == [["AllowRule", var.existing_dlq.arn, "arn:aws:events:eu-west-1:123456789012:rule/aws.partner/shop.example/media/1/media-test-shop"]]
    error_message = "The output says what the queue's policy needs."
  }
}

run "a_dead_letter_queue_of_the_users_takes_what_can_not_be_processed" {
  command = plan

  variables {
    existing_dlq = { arn = "arn:aws:sqs:eu-west-1:123456789012:teams-dlq", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq" }
  }

  assert {
    condition     = length(aws_sqs_queue.dlq) == 0 && output.dead_letter_queues["ingress/media-test-shop"].queue_arn == var.existing_dlq.arn && module.ingress[0].environment["DEAD_LETTER_QUEUE_URL"] == var.existing_dlq.url
    error_message = "Function, rule and review use the user's queue."
  }

  assert {
    condition     = [for s in jsondecode(output.existing_dlq_policies["ingress/media-test-shop"]).Statement : [s.Sid, s.Resource]] == [["AllowRules", var.existing_dlq.arn]]
    error_message = jsonencode(output.existing_dlq_policies)
  }
}

run "a_bus_that_exists_is_used_and_not_made" {
  command = plan

  variables {
    existing_bus = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/aws.partner/shop.example/media/1" }
    archive      = { retention_days = 30 }
  }

  assert {
    condition     = length(aws_cloudwatch_event_bus.this) == 0 && output.bus_arn == var.existing_bus.arn && output.archive.name == "media-test-shop" && aws_cloudwatch_event_archive.this[0].event_source_arn == "arn:aws:events:eu-west-1:123456789012:event-bus/aws.partner/shop.example/media/1" && aws_cloudwatch_event_archive.this[0].name == "media-test-shop"
    error_message = "A source is associated once; its bus can be used as it is."
  }
}

run "inactivity_is_an_alarm" {
  command = plan

  variables {
    inactivity_alarm_minutes = 90
  }

  assert {
    condition     = module.alarms.alarms["inactivity"].period == 300 && module.alarms.alarms["inactivity"].periods == 18 && module.alarms.alarms["inactivity"].missing == "breaching" && startswith(module.alarms.alarms["inactivity"].metrics["matched"], "AWS/Events MatchedEvents Sum")
    error_message = "Not one event for 90 minutes, no data included."
  }
}

run "inactivity_may_last_days" {
  command = plan

  variables {
    inactivity_alarm_minutes = 4320
  }

  assert {
    condition     = module.alarms.alarms["inactivity"].period == 3600 && module.alarms.alarms["inactivity"].periods == 72
    error_message = "CloudWatch looks back more than a day in hours only."
  }
}

run "an_inactivity_that_cloudwatch_can_not_measure_is_refused" {
  command = plan

  variables {
    inactivity_alarm_minutes = 1450
  }

  expect_failures = [var.inactivity_alarm_minutes]
}

run "a_name_that_is_no_partners_is_refused" {
  command = plan

  variables {
    event_source_name = "aws.partner/shop.example"
  }

  expect_failures = [var.event_source_name]
}

run "t8_the_bus_of_another_source_is_refused" {
  command = plan

  variables {
    existing_bus = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media" }
  }

  expect_failures = [var.existing_bus]
}

run "a_transformation_needs_to_know_the_partner" {
  command = plan

  variables {
    partner       = null
    specification = null
  }

  expect_failures = [var.partner, var.specification]
}

run "events_that_are_forwarded_are_not_read" {
  command = plan

  variables {
    forward_unmodified = true
  }

  expect_failures = [var.partner, var.specification]
}

run "an_archive_needs_a_short_name" {
  command = plan

  variables {
    name    = "media-events-production-europe-west-frankfurt-shop"
    archive = {}
  }

  expect_failures = [var.archive]
}

run "an_alternative_of_a_forwarding_rule_keeps_its_source" {
  command = plan

  variables {
    forward_unmodified = true
    partner            = null
    specification      = null
    pattern = jsonencode({ "$or" = [
      { source = ["aws.partner/shop.example/media/1"], detail-type = ["<Ready>"] },
      { "$or" = [{ source = ["aws.partner/shop.example/media/1"] }, { account = ["123456789012"] }] },
      { id = ["1"] },
    ] })
  }

  assert {
    condition = jsonencode(jsondecode(output.event_pattern)) == jsonencode({ "$or" = [
      { source = ["aws.partner/shop.example/media/1"], detail-type = ["<Ready>"] },
      { "$or" = [{ source = ["aws.partner/shop.example/media/1"] }, { account = ["123456789012"], source = ["aws.partner/shop.example/media/1"] }] },
      { id = ["1"], source = ["aws.partner/shop.example/media/1"] },
    ] }) && local.pattern_length == length(output.event_pattern) - 10
    error_message = "The source's condition goes into the other alternatives; < and > count once each."
  }
}

run "t8_an_alternative_of_a_forwarding_rule_with_anothers_source_is_refused" {
  command = plan

  variables {
    forward_unmodified = true
    partner            = null
    specification      = null
    pattern            = jsonencode({ "$or" = [{ source = ["aws.s3"] }, { id = ["1"] }] })
  }

  expect_failures = [aws_cloudwatch_event_rule.forward]
}

run "the_source_is_no_part_of_the_users_pattern" {
  command = plan

  variables {
    pattern = jsonencode({ source = ["aws.s3"] })
  }

  expect_failures = [var.pattern]
}

run "a_forwarding_rules_role_has_the_path_and_alarms_can_be_left_out" {
  command = plan

  variables {
    forward_unmodified       = true
    partner                  = null
    specification            = null
    inactivity_alarm_minutes = 90
    settings                 = { role_path = "/media/", alarms = { enabled = false } }
  }

  assert {
    condition     = aws_iam_role.forward[0].path == "/media/"
    error_message = "Where roles need a path, no other is let through."
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "Whoever has alarms of their own must be able to do without these."
  }
}
