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
  name     = "media-test"
  settings = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
}

override_resource {
  target          = aws_cloudwatch_event_bus.this
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"
  }
}

override_resource {
  target          = module.ingress["partners"].module.ingress.aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-partners-idempotency"
  }
}

override_resource {
  target          = module.ingress["partners"].module.ingress.module.consumer.module.function[0].aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-partners"
  }
}

override_resource {
  target          = module.ingress["partners"].module.ingress.module.consumer.aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-partners"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-partners"
  }
}

override_resource {
  target          = module.ingress["partners"].module.ingress.module.consumer.aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-partners-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-partners-dlq"
  }
}

override_resource {
  target          = module.ingress["partners"].aws_cloudwatch_event_rule.this["studio"]
  override_during = plan
  values = {
    arn = "arn:aws:events:eu-west-1:123456789012:rule/media-test/media-test-partners-studio"
  }
}

run "a_bus_by_itself_has_no_archive_and_no_policy" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_event_archive.this) == 0 && length(aws_cloudwatch_event_bus_policy.this) == 0
    error_message = "Nobody else may put events, and none are kept, unless the user says so."
  }

  assert {
    condition     = output.archive == null && output.bus_arn == "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"
    error_message = "The outputs must say so."
  }
}

run "senders_are_held_to_their_own_sources" {
  command = plan

  variables {
    senders = {
      partner = {
        account_ids = ["111122223333", "444455556666"]
        sources     = ["example.partner", "example.partner.qc"]
      }
      platform = {
        role_arns       = ["arn:aws:iam::111122223333:role/platform"]
        organization_id = "o-a1b2c3d4e5"
        sources         = ["example.platform"]
      }
      studios = {
        organization_id = "o-a1b2c3d4e5"
        sources         = ["example.studio"]
      }
    }
  }

  assert {
    condition = jsonencode(jsondecode(aws_cloudwatch_event_bus_policy.this[0].policy).Statement) == jsonencode([
      {
        Action    = "events:PutEvents"
        Condition = { StringEquals = { "events:source" = ["example.partner", "example.partner.qc"] } }
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"] }
        Resource  = "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"
        Sid       = "partner"
      },
      {
        Action    = "events:PutEvents"
        Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5", "events:source" = ["example.platform"] } }
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::111122223333:role/platform"] }
        Resource  = "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"
        Sid       = "platform"
      },
      {
        Action    = "events:PutEvents"
        Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5", "events:source" = ["example.studio"] } }
        Effect    = "Allow"
        Principal = { AWS = ["*"] }
        Resource  = "arn:aws:events:eu-west-1:123456789012:event-bus/media-test"
        Sid       = "studios"
      },
    ])
    error_message = "Every sender must be named, and held to its sources."
  }
}

run "an_archive_keeps_what_its_pattern_says" {
  command = plan

  variables {
    archive = { retention_days = 30, pattern = jsonencode({ source = ["partner.mux"] }) }
  }

  assert {
    condition     = aws_cloudwatch_event_archive.this[0].retention_days == 30 && jsondecode(aws_cloudwatch_event_archive.this[0].event_pattern) == { source = ["partner.mux"] }
    error_message = "The archive must be as asked for."
  }
}

run "alarms_watch_every_rule_of_this_bus" {
  command = plan

  variables {
    settings = { alarms = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:alarms"] } } }
  }

  assert {
    condition     = alltrue([for alarm in values(module.alarms.alarms) : strcontains(alarm.expression, "WHERE EventBusName = 'media-test'") && alarm.actions["ALARM"] == toset(var.settings.alarms.actions.critical)]) && length(module.alarms.alarms) == 2
    error_message = "The alarms must be about this bus, and notify."
  }
}

run "a_bus_by_itself_runs_no_code" {
  command = plan

  assert {
    condition     = length(module.ingress) == 0 && length(module.bucket) == 0 && length(output.dead_letter_queues) == 0
    error_message = "A queue, a function and a bucket are for events that are taken into the envelope."
  }
}

run "events_of_partners_go_through_a_function_onto_the_same_bus" {
  command = plan

  variables {
    partners = {
      studio = { sources = ["example.studio"], specification = jsonencode({ id = "body.id", type = "envelope.\"detail-type\"" }) }
    }
  }

  assert {
    condition     = jsondecode(output.event_patterns["studio"]) == { source = ["example.studio"] }
    error_message = "Only the partner's own sources, never those that the function publishes under."
  }

  assert {
    condition     = module.ingress["partners"].environment["INGRESS"] == "custom-bus" && module.ingress["partners"].environment["BUS_ARN"] == "arn:aws:events:eu-west-1:123456789012:event-bus/media-test" && module.ingress["partners"].environment["HOP"] == "ingress/media-test-partners"
    error_message = "Events must name the way they came, and go to this bus."
  }

  assert {
    condition = jsonencode([for s in jsondecode(module.ingress["partners"].queue_policy).Statement : s if s.Effect == "Allow"]) == jsonencode([{
      Action    = "sqs:SendMessage"
      Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:events:eu-west-1:123456789012:rule/media-test/media-test-partners-*"] } }
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-partners"
      Sid       = "AllowRules"
    }])
    error_message = "Only the partner's rule may send to the queue."
  }

  assert {
    condition     = keys(output.dead_letter_queues) == ["ingress/media-test-partners"] && output.log_group_names == { "ingress/media-test-partners" = "/aws/lambda/media-test-partners" }
    error_message = "The outputs must name the hop."
  }
}

run "a_dead_letter_queue_of_the_users_takes_what_can_not_be_processed" {
  command = plan

  variables {
    partners      = { studio = { sources = ["com.studio"] } }
    existing_dlqs = { partners = { arn = "arn:aws:sqs:eu-west-1:123456789012:teams-dlq", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq" } }
  }

  assert {
    condition     = output.dead_letter_queues["ingress/media-test-partners"].queue_arn == var.existing_dlqs.partners.arn && module.ingress["partners"].environment["DEAD_LETTER_QUEUE_URL"] == var.existing_dlqs.partners.url
    error_message = "Function, rules and review use the user's queue."
  }

  assert {
    condition     = [for s in jsondecode(output.existing_dlq_policies["ingress/media-test-partners"]).Statement : [s.Sid, s.Resource]] == [["AllowRules", var.existing_dlqs.partners.arn]]
    error_message = jsonencode(output.existing_dlq_policies)
  }
}

run "a_dead_letter_queue_that_is_fifo_is_refused" {
  command = plan

  variables {
    existing_dlqs = { services = { arn = "arn:aws:sqs:eu-west-1:123456789012:teams-dlq.fifo", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq.fifo" } }
  }

  expect_failures = [var.existing_dlqs]
}

run "aws_services_are_taken_from_the_default_bus" {
  command = plan

  variables {
    aws_services = {
      mediaconvert = { sources = ["aws.mediaconvert"], specification = jsonencode({ preset = "mediaconvert" }), pattern = jsonencode({ detail = { status = ["COMPLETE", "ERROR"] } }) }
    }
  }

  assert {
    condition     = jsonencode(jsondecode(output.event_patterns["mediaconvert"])) == jsonencode({ detail = { status = ["COMPLETE", "ERROR"] }, source = ["aws.mediaconvert"] })
    error_message = "The rule takes the service's events, and follows the user's pattern besides."
  }

  assert {
    condition     = module.ingress["services"].rule_names == { mediaconvert = "media-test-services-mediaconvert" } && module.ingress["services"].source_bus_name == "default"
    error_message = "AWS services put their events on the default bus."
  }
}

run "without_a_bucket_it_makes_one_for_both" {
  command = plan

  variables {
    settings     = { package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
    partners     = { studio = { sources = ["example.studio"] } }
    aws_services = { s3 = { sources = ["aws.s3"], specification = jsonencode({ preset = "s3" }) } }
  }

  assert {
    condition     = length(module.bucket) == 1 && keys(module.ingress) == ["partners", "services"]
    error_message = "Bodies and configurations need one bucket."
  }
}

run "a_sender_can_not_pose_as_these_modules" {
  command = plan

  variables {
    senders = { partner = { account_ids = ["111122223333"], sources = ["partner.mux"] } }
  }

  expect_failures = [var.senders]
}

run "partners_events_are_no_aws_services" {
  command = plan

  variables {
    aws_services = { shop = { sources = ["aws.partner/shop.example/media/1"], specification = "{}" } }
  }

  expect_failures = [var.aws_services]
}

run "a_service_and_a_partner_have_names_of_their_own" {
  command = plan

  variables {
    partners     = { s3 = { sources = ["example.s3"] } }
    aws_services = { s3 = { sources = ["aws.s3"], specification = jsonencode({ preset = "s3" }) } }
  }

  expect_failures = [var.aws_services]
}

run "a_bus_whose_name_is_no_functions_takes_no_partners" {
  command = plan

  variables {
    name     = "media.test"
    partners = { studio = { sources = ["example.studio"] } }
  }

  expect_failures = [var.partners]
}

run "a_sender_without_sources_is_refused" {
  command = plan

  variables {
    senders = { partner = { account_ids = ["111122223333"], sources = [] } }
  }

  expect_failures = [var.senders]
}

run "a_sender_that_is_nobody_is_refused" {
  command = plan

  variables {
    senders = { partner = { sources = ["example.partner"] } }
  }

  expect_failures = [var.senders]
}

run "t1_a_sender_of_everything_is_refused" {
  command = plan

  variables {
    senders = { partner = { account_ids = ["111122223333"], sources = ["*"] } }
  }

  expect_failures = [var.senders]
}

run "a_sender_can_not_be_aws" {
  command = plan

  variables {
    senders = { partner = { account_ids = ["111122223333"], sources = ["aws.s3"] } }
  }

  expect_failures = [var.senders]
}

run "an_account_number_that_lost_its_zeros_is_refused" {
  command = plan

  variables {
    senders = { partner = { account_ids = [11122223333], sources = ["example.partner"] } }
  }

  expect_failures = [var.senders]
}

run "a_policy_that_is_too_long_is_refused" {
  command = plan

  variables {
    senders = { for index in range(1, 60) : "sender-${index}" => { account_ids = [format("%012d", index)], sources = ["example.sender-${index}"] } }
  }

  expect_failures = [aws_cloudwatch_event_bus_policy.this]
}

run "an_empty_archive_pattern_is_refused" {
  command = plan

  variables {
    archive = { pattern = "{}" }
  }

  expect_failures = [var.archive]
}

run "an_archive_needs_a_short_name" {
  command = plan

  variables {
    name    = "media-events-production-europe-west-frankfurt-main"
    archive = {}
  }

  expect_failures = [var.archive]
}

run "the_default_bus_is_not_ours_to_make" {
  command = plan

  variables {
    name = "default"
  }

  expect_failures = [var.name]
}

run "without_alarms_there_is_none" {
  command = plan

  variables {
    settings = { alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "Whoever has alarms of their own must be able to do without these."
  }
}

run "a_bus_of_the_users_gets_an_archive_and_partners" {
  command = plan

  variables {
    existing_bus = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/shared" }
    archive      = { retention_days = 7 }
    senders      = {}
  }

  assert {
    condition     = length(aws_cloudwatch_event_bus.this) + length(module.dead_letters) == 0 && output.bus_arn == "arn:aws:events:eu-west-1:123456789012:event-bus/shared"
    error_message = "There is a bus besides the user's."
  }

  assert {
    condition     = aws_cloudwatch_event_archive.this[0].event_source_arn == "arn:aws:events:eu-west-1:123456789012:event-bus/shared"
    error_message = "The archive keeps another bus's events."
  }
}

run "senders_on_a_bus_of_the_users_are_refused" {
  command = plan

  variables {
    existing_bus = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/shared" }
    senders      = { studio = { sources = ["example.studio"], account_ids = ["210987654321"] } }
  }

  expect_failures = [var.existing_bus]
}
