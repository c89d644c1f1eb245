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
  name    = "media-test-renders"
  ingress = "sqs"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    bucket  = { name = "media", arn = "arn:aws:s3:::media" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
  }
  partners = { telestream = { specification = jsonencode({ preset = "telestream-cloud" }) } }
}

override_resource {
  target          = module.consumer.module.function[0].aws_iam_role.this
  override_during = plan
  values = {
    arn       = "arn:aws:iam::123456789012:role/media-test-renders"
    unique_id = "AROAEXAMPLE"
  }
}

override_resource {
  target          = module.consumer.module.function[0].aws_lambda_function.this
  override_during = plan
  values = {
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders"
  }
}

override_resource {
  target          = module.consumer.module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-renders"
  }
}

override_resource {
  target          = module.consumer.aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders-dlq"
  }
}

override_resource {
  target          = module.consumer.aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders"
  }
}

override_resource {
  target          = aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-renders-idempotency"
  }
}

run "the_function_may_touch_what_is_its_own_and_nothing_else" {
  command = plan

  assert {
    condition = jsonencode({ for s in jsondecode(output.policy).Statement : s.Sid => [s.Action, s.Resource] }) == jsonencode({
      ConsumeQueue      = [["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], ["arn:aws:sqs:eu-west-1:123456789012:media-test-renders"]]
      GiveUp            = [["sqs:SendMessage"], ["arn:aws:sqs:eu-west-1:123456789012:media-test-renders-dlq"]]
      EventBodies       = [["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::media/bodies/events/*"]]
      FindEventBodies   = [["s3:ListBucket"], ["arn:aws:s3:::media"]]
      Publish           = [["events:PutEvents"], ["arn:aws:events:eu-west-1:123456789012:event-bus/media"]]
      ReadConfiguration = [["s3:GetObject"], ["arn:aws:s3:::media/configuration/media-test-renders/*"]]
      RememberEvents    = [["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-renders-idempotency"]]
      WriteLog          = [["logs:CreateLogStream", "logs:PutLogEvents"], ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-renders:*"]]
    })
    error_message = "Exact ARNs: its queue, its dead-letter queue, its bus, its idempotency store, its bodies, its log, its configuration."
  }
}

run "the_function_knows_its_ingress" {
  command = plan

  assert {
    condition = local.environment == {
      INGRESS           = "sqs"
      BUS_ARN           = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
      IDEMPOTENCY_TABLE = "media-test-renders-idempotency"
      BODIES_URI        = "s3://media/bodies/events/"
      MAX_ENTRY_BYTES   = "240000"
    }
    error_message = "The environment is how the function knows where it stands."
  }

  assert {
    condition     = jsondecode(local.configuration) == { partners = { telestream = { specification = { preset = "telestream-cloud" } } } }
    error_message = "A queue's partner has a specification and no sources."
  }
}

run "partners_on_a_bus_have_sources_and_those_that_speak_the_envelope_no_specification" {
  command = plan

  variables {
    ingress = "custom-bus"
    partners = {
      studio = { sources = ["example.studio", "example.studio.*"] }
      qc     = { sources = ["example.qc"], specification = jsonencode({ preset = "standard-webhooks" }) }
    }
  }

  assert {
    condition = jsonencode(jsondecode(local.configuration)) == jsonencode({ partners = {
      qc     = { sources = ["example.qc"], specification = { preset = "standard-webhooks" } }
      studio = { sources = ["example.studio", "example.studio.*"] }
    } })
    error_message = "The function must know whose a source is."
  }
}

run "dead_letters_go_back_to_the_function" {
  command = plan

  assert {
    condition = jsonencode(output.dead_letter_queues) == jsonencode({
      "ingress/media-test-renders" = {
        queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders-dlq"
        queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders-dlq"
        hop               = "ingress/media-test-renders"
        destination       = "bus"
        source_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders"
        source_queue_url  = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders"
        function_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders"
        consumer_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders"
        function_role_id  = "AROAEXAMPLE"
        from_rules        = false
        redrive_target    = "queue"
        idempotency_table = null
        ordered           = false
        redrive           = { base_delay_seconds = 60, max_age_seconds = 172800, max_count = 3, max_delay_seconds = 3600, max_per_second = 5 }
      }
    })
    error_message = "dlq-review takes this very shape."
  }
}

run "dead_letters_of_somebody_elses_queue_go_back_to_the_function" {
  command = plan

  variables {
    existing_queue = {
      arn = "arn:aws:sqs:eu-west-1:111122223333:theirs"
      url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs"
    }
  }

  assert {
    condition = jsonencode(output.dead_letter_queues["ingress/media-test-renders"]) == jsonencode({
      queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders-dlq"
      queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders-dlq"
      hop               = "ingress/media-test-renders"
      destination       = "bus"
      source_queue_arn  = null
      source_queue_url  = null
      function_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders"
      consumer_arn      = null
      function_role_id  = "AROAEXAMPLE"
      from_rules        = false
      redrive_target    = "function"
      idempotency_table = null
      ordered           = false
      redrive           = { base_delay_seconds = 60, max_age_seconds = 172800, max_count = 3, max_delay_seconds = 3600, max_per_second = 5 }
    })
    error_message = "Their queue is not ours to write to."
  }
}

run "the_idempotency_store_forgets_by_itself_and_can_be_restored" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.idempotency[0].ttl[0].attribute_name == "expires" && aws_dynamodb_table.idempotency[0].point_in_time_recovery[0].enabled && aws_dynamodb_table.idempotency[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "On demand, with a TTL, restorable."
  }
}

run "an_idempotency_store_can_be_shared" {
  command = plan

  variables {
    idempotency_table = { name = "webhooks-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/webhooks-idempotency" }
  }

  assert {
    condition     = length(aws_dynamodb_table.idempotency) == 0 && local.environment["IDEMPOTENCY_TABLE"] == "webhooks-idempotency" && local.policy_statements.RememberEvents.resources == ["arn:aws:dynamodb:eu-west-1:123456789012:table/webhooks-idempotency"]
    error_message = "One idempotency store for two ingresses publishes an event that comes by both once."
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

run "a_queue_of_two_partners_is_refused" {
  command = plan

  variables {
    partners = { one = { specification = "{}" }, two = { specification = "{}" } }
  }

  expect_failures = [var.partners]
}

run "a_queue_whose_partner_has_no_specification_is_refused" {
  command = plan

  variables {
    partners = { one = {} }
  }

  expect_failures = [var.partners]
}

run "sources_of_a_queue_are_refused" {
  command = plan

  variables {
    partners = { one = { specification = "{}", sources = ["example.one"] } }
  }

  expect_failures = [var.partners]
}

run "a_bus_without_sources_is_refused" {
  command = plan

  variables {
    ingress  = "custom-bus"
    partners = { one = { specification = "{}" } }
  }

  expect_failures = [var.partners]
}

run "published_events_do_not_come_in_again" {
  command = plan

  variables {
    ingress  = "custom-bus"
    partners = { one = { sources = ["part*"] } }
  }

  expect_failures = [var.partners]
}

run "sources_of_two_partners_must_not_overlap" {
  command = plan

  variables {
    ingress  = "custom-bus"
    partners = { one = { sources = ["example.*"] }, two = { sources = ["example.two"] } }
  }

  expect_failures = [var.partners]
}

run "a_partner_that_speaks_the_envelope_is_on_the_custom_bus" {
  command = plan

  variables {
    ingress  = "partner-bus"
    partners = { one = { sources = ["aws.partner/example.com/one"] } }
  }

  expect_failures = [var.partners]
}

run "a_queue_feeds_four_kinds_of_ingress" {
  command = plan

  variables {
    ingress = "webhook"
  }

  expect_failures = [var.ingress]
}

run "outputs_are_maps_by_hop" {
  command = plan

  assert {
    condition = (
      output.role_arns == { "ingress/media-test-renders" = "arn:aws:iam::123456789012:role/media-test-renders" }
      && output.function_arns == { "ingress/media-test-renders" = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders" }
      && output.log_group_names == { "ingress/media-test-renders" = "/aws/lambda/media-test-renders" }
      && output.idempotency_tables == { "ingress/media-test-renders" = { name = "media-test-renders-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-renders-idempotency" } }
    )
    error_message = "Every module has the same outputs."
  }
}
