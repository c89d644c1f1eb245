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
  name          = "media-test-assets"
  bus_arn       = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings      = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
  partner       = "mux"
  specification = jsonencode({ preset = "mux" })
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_iam_role.this
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/media-test-assets"
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_lambda_function.this
  override_during = plan
  values = {
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-assets"
  }
}

override_resource {
  target          = module.ingress.module.consumer.module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-assets"
  }
}

override_resource {
  target          = module.ingress.module.consumer.aws_sqs_queue.dlq
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-assets-dlq.fifo"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-assets-dlq.fifo"
  }
}

override_resource {
  target          = module.ingress.module.consumer.aws_sqs_queue.this
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-assets.fifo"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-assets.fifo"
  }
}

override_resource {
  target          = module.ingress.aws_dynamodb_table.idempotency
  override_during = plan
  values = {
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-assets-idempotency"
  }
}

override_resource {
  target          = aws_sns_topic.this
  override_during = plan
  values = {
    arn = "arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo"
  }
}

run "a_fifo_topic_delivers_to_a_fifo_queue_which_takes_nothing_else" {
  command = plan

  assert {
    condition     = aws_sns_topic.this[0].name == "media-test-assets.fifo" && aws_sns_topic.this[0].fifo_topic && aws_sns_topic.this[0].kms_master_key_id == "alias/aws/sns"
    error_message = "The topic must be FIFO, encrypted, and .fifo come last."
  }

  assert {
    condition = jsonencode([for s in jsondecode(module.ingress.queue_policy).Statement : s if s.Effect == "Allow"]) == jsonencode([{
      Action    = "sqs:SendMessage"
      Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo"] } }
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-assets.fifo"
      Sid       = "AllowTopics"
    }])
    error_message = "The queue must take this topic's messages, and no other's."
  }

  assert {
    condition     = aws_sns_topic_subscription.this.topic_arn == "arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo" && aws_sns_topic_subscription.this.endpoint == "arn:aws:sqs:eu-west-1:123456789012:media-test-assets.fifo" && aws_sns_topic_subscription.this.raw_message_delivery
    error_message = "The topic delivers to the queue, as it is unless asked otherwise."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:media-test-assets-dlq.fifo" }
    error_message = "Messages that SNS can't deliver go to the dead-letter queue; SNS refuses a maxReceiveCount."
  }

  assert {
    condition     = module.ingress.environment["INGRESS"] == "sns-fifo" && output.dead_letter_queues["ingress/media-test-assets"].redrive_target == "queue"
    error_message = "Events must name the way they came, and dead letters go back to the queue."
  }
}

run "t10_the_topic_is_tls_only_and_the_accounts_own_by_default" {
  command = plan

  assert {
    condition = jsondecode(aws_sns_topic_policy.this[0].policy).Statement == [{
      Sid       = "DenyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "The topic's policy must only deny."
  }
}

run "senders_are_named_and_told_what_their_roles_need" {
  command = plan

  variables {
    senders = {
      partner = { account_ids = ["111122223333"] }
      studios = { organization_id = "o-a1b2c3d4e5" }
    }
  }

  assert {
    condition = jsonencode([for s in jsondecode(aws_sns_topic_policy.this[0].policy).Statement : s if s.Effect == "Allow"]) == jsonencode([
      {
        Action    = "sns:Publish"
        Effect    = "Allow"
        Principal = { AWS = ["arn:aws:iam::111122223333:root"] }
        Resource  = "arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo"
        Sid       = "partner"
      },
      {
        Action    = "sns:Publish"
        Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }
        Effect    = "Allow"
        Principal = { AWS = ["*"] }
        Resource  = "arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo"
        Sid       = "studios"
      },
    ])
    error_message = "Every sender must be named, and an organisation be a condition."
  }

  assert {
    condition     = aws_sns_topic.this[0].kms_master_key_id == null
    error_message = "Other accounts can't use aws/sns: their messages would be refused."
  }

  assert {
    condition     = jsondecode(output.sender_policy).Statement == [{ Sid = "PublishToTopic", Effect = "Allow", Action = "sns:Publish", Resource = "arn:aws:sns:eu-west-1:123456789012:media-test-assets.fifo" }]
    error_message = "A role of another account needs a policy of its own too."
  }
}

run "a_policy_that_sns_would_refuse_ends_the_plan" {
  command = plan

  variables {
    # 150 of 200 principals, but with the longest paths and names.
    senders = { partner = { role_arns = [for number in range(150) : "arn:aws:iam::111122223333:role/${join("", [for _ in range(18) : "long-path/"])}${number}"] } }
  }

  expect_failures = [aws_sns_topic_policy.this]
}

run "a_policy_that_sns_takes_is_planned" {
  command = plan

  variables {
    senders = { partner = { role_arns = [for number in range(130) : "arn:aws:iam::111122223333:role/${join("", [for _ in range(18) : "long-path/"])}${number}"] } }
  }

  assert {
    condition     = length(aws_sns_topic_policy.this[0].policy) < 30720 && length(aws_sns_topic_policy.this[0].policy) > 27000
    error_message = "The policy must be near the limit, and within it."
  }
}

run "a_key_of_ones_own_is_the_topics_too_and_senders_need_it" {
  command = plan

  variables {
    settings = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" }, kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
    senders  = { partner = { account_ids = ["111122223333"] } }
  }

  assert {
    condition     = aws_sns_topic.this[0].kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/1" && [for s in jsondecode(output.sender_policy).Statement : s.Sid] == ["PublishToTopic", "EncryptForTopic"]
    error_message = "The key encrypts everything, and its users must know."
  }
}

run "the_partners_topic_is_subscribed_to_and_left_alone" {
  command = plan

  variables {
    existing_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:theirs.fifo" }
  }

  assert {
    condition     = length(aws_sns_topic.this) == 0 && length(aws_sns_topic_policy.this) == 0 && length(module.alarms.alarms) == 0 && aws_sns_topic_subscription.this.topic_arn == "arn:aws:sns:eu-west-1:111122223333:theirs.fifo"
    error_message = "Nothing of theirs may be made or changed."
  }

  assert {
    condition     = jsondecode(module.ingress.queue_policy).Statement[1].Condition.ArnEquals["aws:SourceArn"] == ["arn:aws:sns:eu-west-1:111122223333:theirs.fifo"]
    error_message = "The queue must take that topic's messages, and no other's."
  }

  assert {
    condition = jsondecode(output.existing_topic_policy).Statement == [{
      Sid       = "Subscribe"
      Effect    = "Allow"
      Action    = "sns:Subscribe"
      Resource  = "arn:aws:sns:eu-west-1:111122223333:theirs.fifo"
      Principal = { AWS = "arn:aws:iam::123456789012:root" }
      Condition = { StringEquals = { "sns:Endpoint" = "arn:aws:sqs:eu-west-1:123456789012:media-test-assets.fifo", "sns:Protocol" = "sqs" } }
    }]
    error_message = "Their policy must let us subscribe this queue alone."
  }

  assert {
    condition     = output.topic_arn == "arn:aws:sns:eu-west-1:111122223333:theirs.fifo" && output.sender_policy == null
    error_message = "The outputs must be about their topic."
  }
}

run "a_standard_topic_goes_with_a_standard_queue" {
  command = plan

  variables {
    fifo           = false
    existing_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:theirs" }
  }

  assert {
    condition     = module.ingress.queue.name == "media-test-assets" && output.dead_letter_queues["ingress/media-test-assets"].redrive_target == "queue"
    error_message = "Standard goes with standard."
  }
}

run "wrapped_delivery_and_filters_are_options" {
  command = plan

  variables {
    raw_message_delivery = false
    filter_policy        = jsonencode({ kind = ["asset"] })
    filter_policy_scope  = "MessageBody"
  }

  assert {
    condition     = !aws_sns_topic_subscription.this.raw_message_delivery && jsondecode(aws_sns_topic_subscription.this.filter_policy) == { kind = ["asset"] } && aws_sns_topic_subscription.this.filter_policy_scope == "MessageBody"
    error_message = "The subscription must be as asked for."
  }
}

run "a_fifo_topic_can_keep_messages_and_deliver_them_again" {
  command = plan

  variables {
    topic_archive_days                = 30
    topic_content_based_deduplication = true
    queue                             = { high_throughput = true }
    replay                            = { from = "2026-11-01T00:00:00Z", until = "2026-11-02T00:00:00Z" }
  }

  assert {
    condition     = jsondecode(aws_sns_topic.this[0].archive_policy) == { MessageRetentionPeriod = "30" } && aws_sns_topic.this[0].content_based_deduplication && aws_sns_topic.this[0].fifo_throughput_scope == "MessageGroup"
    error_message = "The topic must be as asked for."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this.replay_policy) == { PointType = "Timestamp", StartingPoint = "2026-11-01T00:00:00Z", EndingPoint = "2026-11-02T00:00:00Z" }
    error_message = "The subscription must ask for the messages that the topic kept."
  }
}

run "an_archive_is_ended_before_its_topic_is_deleted" {
  command = plan

  variables {
    topic_archive_days = 0
  }

  assert {
    condition     = aws_sns_topic.this[0].archive_policy == "{}"
    error_message = "SNS ends an archive by an empty policy; leaving it out changes nothing."
  }
}

run "a_standard_topic_does_not_go_with_a_fifo_queue" {
  command = plan

  variables {
    existing_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:theirs" }
  }

  expect_failures = [var.existing_topic]
}

run "a_fifo_topic_does_not_go_with_a_standard_queue" {
  command = plan

  variables {
    fifo           = false
    existing_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:theirs.fifo" }
  }

  expect_failures = [var.existing_topic]
}

run "a_topic_of_another_region_is_refused" {
  command = plan

  variables {
    existing_topic = { arn = "arn:aws:sns:us-east-1:111122223333:theirs.fifo" }
  }

  expect_failures = [aws_sns_topic_subscription.this]
}

run "only_fifo_topics_keep_messages_and_find_duplicates" {
  command = plan

  variables {
    fifo                              = false
    topic_archive_days                = 30
    topic_content_based_deduplication = true
    replay                            = { from = "2026-11-01T00:00:00Z" }
  }

  expect_failures = [var.topic_archive_days, var.topic_content_based_deduplication, var.replay]
}

run "a_replay_ends_after_it_begins" {
  command = plan

  variables {
    replay = { from = "2026-11-02T00:00:00Z", until = "2026-11-01T00:00:00Z" }
  }

  expect_failures = [var.replay]
}

run "a_replay_takes_times" {
  command = plan

  variables {
    replay = { from = "yesterday" }
  }

  expect_failures = [var.replay]
}

run "senders_to_an_existing_topic_are_its_owners_affair" {
  command = plan

  variables {
    existing_topic = { arn = "arn:aws:sns:eu-west-1:111122223333:theirs.fifo" }
    senders        = { partner = { account_ids = ["111122223333"] } }
  }

  expect_failures = [var.existing_topic]
}

run "t1_a_sender_that_is_everybody_is_refused" {
  command = plan

  variables {
    senders = { anybody = {} }
  }

  expect_failures = [var.senders]
}

run "a_filter_that_is_no_object_is_refused" {
  command = plan

  variables {
    filter_policy = "[]"
  }

  expect_failures = [var.filter_policy]
}

run "a_standard_topic_has_no_throughput_of_groups" {
  command = plan

  variables {
    fifo  = false
    queue = { high_throughput = true }
  }

  expect_failures = [var.fifo]
}

run "without_alarms_there_is_none" {
  command = plan

  variables {
    settings = { bucket = { name = "media", arn = "arn:aws:s3:::media" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" }, alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "Whoever has alarms of their own must be able to do without these."
  }
}
