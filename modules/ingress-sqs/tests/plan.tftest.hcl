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
  name          = "media-test-renders"
  bus_arn       = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings      = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
  partner       = "telestream"
  specification = jsonencode({ preset = "telestream-cloud" })
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-renders"
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_lambda_function.this
  override_during = plan
  values = {
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders"
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-renders"
  }
}

override_resource {
  target          = module.ingress.module.consumer.aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders-dlq"
  }
}

override_resource {
  target          = module.ingress.module.consumer.aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-renders"
  }
}

override_resource {
  target          = module.ingress.aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-renders-idempotency"
  }
}

run "a_message_of_the_partner_comes_by_sqs" {
  command = plan

  assert {
    condition     = module.ingress.environment["INGRESS"] == "sqs" && module.ingress.environment["HOP"] == "ingress/media-test-renders" && module.ingress.environment["IDEMPOTENCY_TABLE"] == "media-test-renders-idempotency"
    error_message = "Events must name the way they came, and be remembered."
  }

  assert {
    condition     = jsondecode(module.ingress.configuration) == { partners = { telestream = { specification = { preset = "telestream-cloud" } } } }
    error_message = "The function must know how the partner's messages are read."
  }
}

run "senders_are_told_what_their_roles_need" {
  command = plan

  variables {
    senders  = { partner = { role_arns = ["arn:aws:iam::111122223333:role/exporter"] } }
    settings = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" }, kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
  }

  assert {
    condition = jsonencode(jsondecode(output.sender_policy).Statement) == jsonencode([
      { Action = ["sqs:GetQueueUrl", "sqs:SendMessage"], Effect = "Allow", Resource = "arn:aws:sqs:eu-west-1:123456789012:media-test-renders", Sid = "SendToQueue" },
      { Action = ["kms:Decrypt", "kms:GenerateDataKey"], Effect = "Allow", Resource = "arn:aws:kms:eu-west-1:123456789012:key/1", Sid = "EncryptForQueue" },
    ])
    error_message = "A role of another account needs a policy of its own too, and the key."
  }

  assert {
    condition     = output.existing_queue_policy == null
    error_message = "The module's own queue has its policy already."
  }
}

run "an_existing_queues_owner_is_told_what_its_policy_must_say" {
  command = plan

  variables {
    fifo = true
    existing_queue = {
      arn       = "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo"
      url       = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs.fifo"
      age_alarm = false
    }
  }

  assert {
    condition = jsondecode(output.existing_queue_policy).Statement == [{
      Sid       = "Consume"
      Effect    = "Allow"
      Action    = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource  = "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo"
      Principal = { AWS = "arn:aws:iam::123456789012:root" }
      Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::123456789012:role/media-test-renders" } }
    }]
    error_message = "Their policy must let in this function's role alone, and be writable before the role exists."
  }

  assert {
    condition     = output.queue_arn == "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo" && output.sender_policy == null && output.dead_letter_queues["ingress/media-test-renders"].redrive_target == "function"
    error_message = "Their queue is consumed, not written to."
  }
}

run "dead_letters_are_handed_to_review_under_a_key_known_beforehand" {
  command = plan

  variables {
    failure = { redrive = { max_count = 5 } }
  }

  assert {
    condition     = keys(output.dead_letter_queues) == ["ingress/media-test-renders"] && output.dead_letter_queues["ingress/media-test-renders"].redrive_target == "queue" && output.dead_letter_queues["ingress/media-test-renders"].redrive.max_count == 5
    error_message = "Keys of a map that a resource is made for each of must be known."
  }
}

run "a_partners_name_is_part_of_its_events_source" {
  command = plan

  variables {
    partner = "Telestream Cloud"
  }

  expect_failures = [var.partner]
}

run "a_specification_that_is_no_object_is_refused" {
  command = plan

  variables {
    specification = "telestream"
  }

  expect_failures = [var.specification]
}

run "t1_a_sender_that_is_everybody_is_refused" {
  command = plan

  variables {
    senders = { anybody = {} }
  }

  expect_failures = [var.senders]
}

run "an_organisation_that_is_none_is_refused" {
  command = plan

  variables {
    senders = { studios = { organization_id = "123456789012" } }
  }

  expect_failures = [var.senders]
}

run "senders_of_an_existing_queue_are_its_owners_affair" {
  command = plan

  variables {
    senders        = { partner = { account_ids = ["111122223333"] } }
    existing_queue = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs" }
  }

  expect_failures = [var.existing_queue]
}

run "an_existing_fifo_queue_must_be_called_one" {
  command = plan

  variables {
    existing_queue = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs.fifo" }
  }

  expect_failures = [var.existing_queue]
}

run "messages_must_stay_hidden_for_six_timeouts_and_the_window" {
  command = plan

  variables {
    function = { timeout_seconds = 60 }
    queue    = { batch_window_seconds = 10, visibility_timeout_seconds = 369 }
  }

  expect_failures = [var.queue]
}

run "a_fifo_queue_has_no_window" {
  command = plan

  variables {
    fifo  = true
    queue = { batch_window_seconds = 1 }
  }

  expect_failures = [var.fifo]
}

run "outputs_are_maps_by_hop" {
  command = plan

  assert {
    condition = (
      output.role_arns == { "ingress/media-test-renders" = "arn:aws:iam::123456789012:role/media-test-renders" }
      && output.function_arns == { "ingress/media-test-renders" = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-renders" }
      && output.log_group_names == { "ingress/media-test-renders" = "/aws/lambda/media-test-renders" }
      && output.idempotency_tables == { "ingress/media-test-renders" = { name = "media-test-renders-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-renders-idempotency" } }
      && output.bucket == { name = "media", arn = "arn:aws:s3:::media" }
    )
    error_message = "The next module takes these maps as they are."
  }
}
