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
  account_id = "123456789012"
  name       = "media-test-cms"
  hop        = "route/cms"
  handler    = "media_events.handlers.deliver.handler"
  settings   = { package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
}

override_resource {
  target          = module.function[0].aws_iam_role.this
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
  target          = module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-cms"
  }
}

run "a_queue_without_rules_takes_messages_from_the_account_alone_and_over_tls" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.this[0].policy).Statement == [{
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
    condition     = jsondecode(aws_sqs_queue.dlq[0].policy).Statement[0].Resource == "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
    error_message = "The dead-letter queue's policy must name the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue.this[0].sqs_managed_sse_enabled && aws_sqs_queue.dlq[0].sqs_managed_sse_enabled
    error_message = "Both queues must be encrypted."
  }
}

run "dead_letters_go_to_the_queues_own_dlq_which_takes_no_other_queues" {
  command = plan

  variables {
    failure = { max_receive_count = 8 }
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this[0].redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq", maxReceiveCount = 8 }
    error_message = "The queue must give up to its own DLQ."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms"] }
    error_message = "The DLQ must serve its own queue alone."
  }

  assert {
    condition     = aws_sqs_queue.this[0].message_retention_seconds == 1209600 && aws_sqs_queue.dlq[0].message_retention_seconds == 1209600
    error_message = "Messages must be kept for 14 days."
  }
}

run "rules_may_send_to_the_queue_and_to_its_dlq" {
  command = plan

  variables {
    allowed_rule_arns = ["arn:aws:events:eu-west-1:123456789012:rule/media/cms"]
  }

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.this[0], aws_sqs_queue.dlq[0]] :
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
    failure     = { retry = { base_seconds = 10 } }
    environment = { IDEMPOTENCY_TABLE = "events" }
  }

  assert {
    condition = local.environment == {
      HOP                   = "route/cms"
      QUEUE_URL             = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-cms"
      DEAD_LETTER_QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-cms-dlq"
      MAX_RECEIVE_COUNT     = "5"
      RETRY_BASE_SECONDS    = "10"
      RETRY_MAX_SECONDS     = "900"
      IDEMPOTENCY_TABLE     = "events"
    }
    error_message = "The environment is how the consumer knows where it stands."
  }
}

run "a_message_stays_hidden_for_six_timeouts" {
  command = plan

  variables {
    function = { timeout_seconds = 60 }
    queue    = { batch_size = 100, batch_window_seconds = 5 }
  }

  assert {
    condition     = aws_sqs_queue.this[0].visibility_timeout_seconds == 365
    error_message = "Six times the timeout, plus the window."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One failed record must not take its batch with it."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this[0].scaling_config[0].maximum_concurrency == 10
    error_message = "A backlog must leave most of the account's concurrency to other functions."
  }
}

run "fifo_goes_for_both_queues" {
  command = plan

  variables {
    fifo = true
  }

  assert {
    condition     = aws_sqs_queue.this[0].name == "media-test-cms.fifo" && aws_sqs_queue.dlq[0].name == "media-test-cms-dlq.fifo" && aws_sqs_queue.this[0].fifo_queue && aws_sqs_queue.dlq[0].fifo_queue
    error_message = "A FIFO queue's DLQ is FIFO, and .fifo comes last."
  }
}

run "a_key_of_ones_own_encrypts_both_queues" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this[0], aws_sqs_queue.dlq[0]] : queue.kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/1" && queue.sqs_managed_sse_enabled != true])
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
    settings      = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, bucket = { name = "media", arn = "arn:aws:s3:::media" } }
  }

  assert {
    condition     = length(module.bucket) == 0
    error_message = "No second bucket is needed."
  }
}

run "too_short_a_visibility_is_refused" {
  command = plan

  variables {
    queue = { visibility_timeout_seconds = 60 }
  }

  expect_failures = [var.queue]
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
    queue = { batch_size = 50 }
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

run "a_hop_is_step_and_name" {
  command = plan

  variables {
    hop = "cms"
  }

  expect_failures = [var.hop]
}

run "senders_may_send_to_the_queue_and_not_to_its_dlq" {
  command = plan

  variables {
    senders = {
      partner  = { account_ids = ["111122223333"], organization_id = "o-a1b2c3d4e5" }
      platform = { role_arns = ["arn:aws:iam::444455556666:role/platform"] }
      studios  = { organization_id = "o-a1b2c3d4e5" }
    }
  }

  assert {
    condition = jsonencode([for s in jsondecode(aws_sqs_queue.this[0].policy).Statement : s if s.Effect == "Allow"]) == jsonencode([
      {
        Action    = ["sqs:GetQueueUrl", "sqs:SendMessage"]
        Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::111122223333:root"] }
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
        Sid       = "partner"
      },
      {
        Action    = ["sqs:GetQueueUrl", "sqs:SendMessage"]
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::444455556666:role/platform"] }
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
        Sid       = "platform"
      },
      {
        Action    = ["sqs:GetQueueUrl", "sqs:SendMessage"]
        Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }
        Effect    = "Allow"
        Principal = { AWS = ["*"] }
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
        Sid       = "studios"
      },
    ])
    error_message = "Every sender must be named, and an organisation be a condition."
  }

  assert {
    condition     = [for s in jsondecode(aws_sqs_queue.dlq[0].policy).Statement : s.Sid] == ["DenyWithoutTls"]
    error_message = "Each message in the DLQ says why it is there: no sender may put one."
  }
}

run "topics_may_send_to_the_queue_and_to_its_dlq" {
  command = plan

  variables {
    fifo               = true
    allowed_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:assets.fifo"]
  }

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.this[0], aws_sqs_queue.dlq[0]] :
      [for s in jsondecode(queue.policy).Statement : s if s.Effect == "Allow"] == [{
        Sid       = "AllowTopics"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:${queue.name}"
        Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:sns:eu-west-1:111122223333:assets.fifo"] } }
      }]
    ])
    error_message = "SNS may send for this topic, and for no other."
  }
}

run "a_fifo_queue_can_be_told_how_to_find_duplicates" {
  command = plan

  variables {
    fifo  = true
    queue = { content_based_deduplication = true, high_throughput = true }
  }

  assert {
    condition = (
      aws_sqs_queue.this[0].content_based_deduplication
      && aws_sqs_queue.this[0].deduplication_scope == "messageGroup"
      && aws_sqs_queue.this[0].fifo_throughput_limit == "perMessageGroupId"
    )
    error_message = "The queue must be as asked for."
  }
}

run "an_existing_queue_is_consumed_and_left_alone" {
  command = plan

  variables {
    fifo = true
    existing_queue = {
      arn       = "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo"
      url       = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs.fifo"
      kms_key   = { arn = "arn:aws:kms:eu-west-1:111122223333:key/1" }
      age_alarm = false
    }
  }

  assert {
    condition = (
      length(aws_sqs_queue.this) == 0
      && aws_lambda_event_source_mapping.this[0].event_source_arn == "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo"
      && output.queue_url == "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs.fifo"
      && local.environment["QUEUE_URL"] == output.queue_url
      && length(output.alarm_names.warning) == 0
    )
    error_message = "The queue is theirs; so is the look at its age."
  }

  assert {
    condition     = aws_sqs_queue.dlq[0].name == "media-test-cms-dlq.fifo" && jsondecode(aws_sqs_queue.dlq[0].redrive_allow_policy) == { redrivePermission = "denyAll" }
    error_message = "The DLQ is ours, of the same kind, and the function's alone."
  }

  assert {
    condition = jsonencode({ for sid, s in local.policy_statements : sid => { actions = s.actions, resources = s.resources } }) == jsonencode({
      ConsumeQueue = { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], resources = ["arn:aws:sqs:eu-west-1:111122223333:theirs.fifo"] }
      GiveUp       = { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"] }
      ReadQueue    = { actions = ["kms:Decrypt"], resources = ["arn:aws:kms:eu-west-1:111122223333:key/1"] }
    })
    error_message = "The function may consume their queue, decrypt its messages, and send to our DLQ."
  }
}

run "an_existing_queue_of_another_region_is_refused" {
  command = plan

  variables {
    existing_queue = { arn = "arn:aws:sqs:us-east-1:111122223333:theirs", url = "https://sqs.us-east-1.amazonaws.com/111122223333/theirs" }
  }

  expect_failures = [aws_lambda_event_source_mapping.this]
}

run "an_existing_fifo_queue_must_be_called_one" {
  command = plan

  variables {
    existing_queue = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs.fifo" }
  }

  expect_failures = [var.existing_queue]
}

run "the_url_of_another_queue_is_refused" {
  command = plan

  variables {
    existing_queue = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/other" }
  }

  expect_failures = [var.existing_queue]
}

run "nobody_is_let_into_an_existing_queue_from_here" {
  command = plan

  variables {
    existing_queue     = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs" }
    allowed_rule_arns  = ["arn:aws:events:eu-west-1:123456789012:rule/media/cms"]
    allowed_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:assets"]
  }

  expect_failures = [var.allowed_rule_arns, var.allowed_topic_arns]
}

run "more_senders_than_a_policy_takes_are_refused" {
  command = plan

  variables {
    senders = { for number in range(20) : "sender${number}" => { role_arns = ["arn:aws:iam::111122223333:role/sender-${number}"] } }
  }

  expect_failures = [aws_sqs_queue.this]
}

run "senders_of_an_existing_queue_are_its_owners_to_name" {
  command = plan

  variables {
    existing_queue = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs" }
    senders        = { partner = { account_ids = ["111122223333"] } }
  }

  expect_failures = [var.existing_queue]
}

run "a_standard_topic_does_not_go_with_a_fifo_queue" {
  command = plan

  variables {
    fifo               = true
    allowed_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:assets"]
  }

  expect_failures = [var.allowed_topic_arns]
}

run "t1_a_sender_that_is_everybody_is_refused" {
  command = plan

  variables {
    senders = { anybody = {} }
  }

  expect_failures = [var.senders]
}

run "only_fifo_queues_look_for_duplicates" {
  command = plan

  variables {
    queue = { content_based_deduplication = true, high_throughput = true }
  }

  expect_failures = [var.fifo]
}

run "settings_of_an_existing_queue_are_its_owners" {
  command = plan

  variables {
    fifo           = true
    existing_queue = { arn = "arn:aws:sqs:eu-west-1:111122223333:theirs.fifo", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs.fifo" }
    queue          = { high_throughput = true }
  }

  expect_failures = [var.existing_queue]
}

run "alarms_notify_by_their_severity" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, alarms = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:critical"], warning = ["arn:aws:sns:eu-west-1:123456789012:warning"] } } }
    queue    = { age_alarm_seconds = 60 }
    failure  = { dlq_age_alarm_seconds = 120 }
  }

  assert {
    condition     = module.alarms.alarms["queue-age"].actions["ALARM"] == toset(["arn:aws:sns:eu-west-1:123456789012:warning"]) && module.alarms.alarms["queue-age"].threshold == 60
    error_message = "A queue that waits is slow."
  }

  assert {
    condition     = module.alarms.alarms["dlq-age"].actions["ALARM"] == toset(["arn:aws:sns:eu-west-1:123456789012:critical"]) && module.alarms.alarms["dlq-age"].threshold == 120
    error_message = "Dead letters that stay need a person."
  }
}

run "without_alarms_there_is_none" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "Whoever has alarms of their own must be able to do without these."
  }
}

run "dlq_review_watches_the_dead_letters_that_it_reads" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, alarms = { reviewed = true } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = { "route/cms/queue-age" = "media-test-cms-queue-age" } }
    error_message = "Two alarms would tell one fact, of dead letters as of crashes."
  }
}

run "a_message_that_crashes_its_function_must_be_moved_before_sqs_deletes_it" {
  command = plan

  variables {
    queue   = { visibility_timeout_seconds = 43200 }
    failure = { max_receive_count = 28, retry = { max_seconds = 900 } }
  }

  expect_failures = [aws_sqs_queue.this]
}

run "a_dead_letter_queue_of_the_users_takes_what_fails" {
  command = plan

  variables {
    existing_dlq = { arn = "arn:aws:sqs:eu-west-1:123456789012:teams-dlq", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq", kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/5f2c1d3e" } }
    fifo         = false
    senders      = {}

    allowed_topic_arns = []
    allowed_rule_arns  = ["arn:aws:events:eu-west-1:123456789012:rule/media/cms"]
  }

  assert {
    condition     = length(aws_sqs_queue.dlq) == 0 && jsondecode(aws_sqs_queue.this[0].redrive_policy).deadLetterTargetArn == "arn:aws:sqs:eu-west-1:123456789012:teams-dlq"
    error_message = "There is a dead-letter queue besides the user's."
  }

  assert {
    condition     = output.environment.DEAD_LETTER_QUEUE_URL == "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq"
    error_message = "The function gives up elsewhere."
  }

  assert {
    condition     = [for s in jsondecode(output.policy).Statement : s.Resource if contains(["GiveUp", "UseKeyOfDlq"], s.Sid)] == [["arn:aws:sqs:eu-west-1:123456789012:teams-dlq"], ["arn:aws:kms:eu-west-1:123456789012:key/5f2c1d3e"]]
    error_message = "The function may send to the queue, and use its key."
  }

  assert {
    condition     = [for s in jsondecode(output.existing_dlq_policy).Statement : [s.Sid, s.Resource]] == [["AllowRules", "arn:aws:sqs:eu-west-1:123456789012:teams-dlq"]]
    error_message = jsonencode(output.existing_dlq_policy)
  }
}

run "a_standard_dead_letter_queue_for_a_fifo_queue_is_refused" {
  command = plan

  variables {
    existing_dlq = { arn = "arn:aws:sqs:eu-west-1:123456789012:teams-dlq", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/teams-dlq" }
    fifo         = true

    allowed_topic_arns = []
    allowed_rule_arns  = []
  }

  expect_failures = [aws_sqs_queue.this]
}
