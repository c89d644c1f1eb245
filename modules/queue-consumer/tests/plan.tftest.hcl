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
  name           = "media-test-cms"
  hop            = "route/cms"
  handler        = "media_events.handlers.deliver.handler"
  lambda_package = { s3_bucket = "packages", s3_key = "media_events.zip" }
}

override_resource {
  target          = module.function.aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-cms"
  }
}

override_resource {
  target          = aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-cms-dlq"
  }
}

override_resource {
  target          = aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-cms"
  }
}

override_resource {
  target          = module.function.aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-cms"
  }
}

run "a_queue_without_rules_takes_messages_from_the_account_alone_and_over_tls" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.this.policy).Statement == [{
      Sid       = "DenyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "The queue's policy must only deny, and name the queue itself."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq.policy).Statement[0].Resource == "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
    error_message = "The dead-letter queue's policy must name the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dlq.sqs_managed_sse_enabled
    error_message = "Both queues must be encrypted."
  }
}

run "dead_letters_go_to_the_queues_own_dlq_which_takes_no_other_queues" {
  command = plan

  variables {
    max_receive_count = 8
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq", maxReceiveCount = 8 }
    error_message = "The queue must give up to its own DLQ."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms"] }
    error_message = "The DLQ must serve its own queue alone."
  }

  assert {
    condition     = aws_sqs_queue.this.message_retention_seconds == 1209600 && aws_sqs_queue.dlq.message_retention_seconds == 1209600
    error_message = "Messages must be kept for 14 days."
  }
}

run "rules_may_send_to_the_queue_and_to_its_dlq" {
  command = plan

  variables {
    allowed_rule_arns = ["arn:aws:events:eu-west-1:123456789012:rule/media/cms"]
  }

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dlq] :
      [for s in jsondecode(queue.policy).Statement : s if s.Effect == "Allow"] == [{
        Sid       = "AllowRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:${queue.name}"
        Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:events:eu-west-1:123456789012:rule/media/cms"] } }
      }]
    ])
    error_message = "EventBridge may send for these rules, and for no other."
  }
}

run "the_function_may_do_what_its_queues_need_and_no_more" {
  command = plan

  variables {
    policy_statements = { ReadSecret = { actions = ["secretsmanager:GetSecretValue"], resources = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"] } }
  }

  assert {
    condition = jsonencode({ for sid, s in local.policy_statements : sid => s.resources }) == jsonencode({
      ConsumeQueue = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms"]
      GiveUp       = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"]
      ReadSecret   = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"]
    })
    error_message = "The function may receive from its queue and send to its DLQ, besides the user's statements."
  }
}

run "the_function_knows_its_hop_and_its_queues" {
  command = plan

  variables {
    retry       = { base_seconds = 10 }
    environment = { LEDGER_TABLE = "ledger" }
  }

  assert {
    condition = local.environment == {
      HOP                   = "route/cms"
      QUEUE_URL             = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-cms"
      DEAD_LETTER_QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-cms-dlq"
      MAX_RECEIVE_COUNT     = "5"
      RETRY_BASE_SECONDS    = "10"
      RETRY_MAX_SECONDS     = "900"
      LEDGER_TABLE          = "ledger"
    }
    error_message = "The environment is how the consumer knows where it stands."
  }
}

run "a_message_stays_hidden_for_six_timeouts" {
  command = plan

  variables {
    timeout_seconds      = 60
    batch_size           = 100
    batch_window_seconds = 5
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 365
    error_message = "Six times the timeout, plus the window."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One failed record must not take its batch with it."
  }
}

run "fifo_goes_for_both_queues" {
  command = plan

  variables {
    fifo = true
  }

  assert {
    condition     = aws_sqs_queue.this.name == "media-test-cms.fifo" && aws_sqs_queue.dlq.name == "media-test-cms-dlq.fifo" && aws_sqs_queue.this.fifo_queue && aws_sqs_queue.dlq.fifo_queue
    error_message = "A FIFO queue's DLQ is FIFO, and .fifo comes last."
  }
}

run "a_key_of_ones_own_encrypts_both_queues" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dlq] : queue.kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/1" && queue.sqs_managed_sse_enabled != true])
    error_message = "Both queues must use the key, and not SQS's as well, which SQS refuses."
  }
}

run "a_configuration_without_bucket_makes_one" {
  command = plan

  variables {
    configuration = "{}"
  }

  assert {
    condition     = length(module.bucket) == 1
    error_message = "The configuration needs a bucket."
  }
}

run "a_bucket_given_is_used" {
  command = plan

  variables {
    configuration = "{}"
    bucket        = { name = "kit", arn = "arn:aws:s3:::kit" }
  }

  assert {
    condition     = length(module.bucket) == 0
    error_message = "No second bucket is needed."
  }
}

run "too_short_a_visibility_is_refused" {
  command = plan

  variables {
    visibility_timeout_seconds = 60
  }

  expect_failures = [var.visibility_timeout_seconds]
}

run "rules_do_not_go_with_fifo" {
  command = plan

  variables {
    fifo              = true
    allowed_rule_arns = ["arn:aws:events:eu-west-1:123456789012:rule/media/cms"]
  }

  expect_failures = [var.allowed_rule_arns]
}

run "a_large_batch_needs_a_window" {
  command = plan

  variables {
    batch_size = 50
  }

  expect_failures = [var.batch_size]
}

run "a_fifo_queue_has_no_window" {
  command = plan

  variables {
    fifo                 = true
    batch_window_seconds = 1
  }

  expect_failures = [var.batch_window_seconds]
}

run "a_hop_is_step_and_name" {
  command = plan

  variables {
    hop = "cms"
  }

  expect_failures = [var.hop]
}
