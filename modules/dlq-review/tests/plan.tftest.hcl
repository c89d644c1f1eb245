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

override_module {
  target  = module.audit
  outputs = { bucket = { name = "media-test-review-audit-1", arn = "arn:aws:s3:::media-test-review-audit-1" } }
}

variables {
  name    = "media-test-review"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"

  settings = {
    bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
    alarms  = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:operators"], warning = ["arn:aws:sns:eu-west-1:123456789012:chat"] } }
  }

  dead_letter_queues = {
    "route/cms" = {
      queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq"
      queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq"
      hop               = "route/cms"
      destination       = "cms"
      source_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:media-cms"
      source_queue_url  = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms"
      redrive_target    = "queue"
      consumer_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-cms"
      idempotency_table = { name = "media-deliveries", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries" }
    }
    "route/lake" = {
      queue_arn      = "arn:aws:sqs:eu-west-1:123456789012:media-lake-dlq"
      queue_url      = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-lake-dlq"
      hop            = "route/lake"
      destination    = "lake"
      redrive_target = "bus"
      redrive        = { max_delay_seconds = 600 }
    }
    "ingress/webhooks" = {
      queue_arn      = "arn:aws:sqs:eu-west-1:123456789012:media-webhooks-dlq"
      queue_url      = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-webhooks-dlq"
      hop            = "ingress/webhooks"
      destination    = "bus"
      function_arn   = "arn:aws:lambda:eu-west-1:123456789012:function:media-webhooks"
      redrive_target = "bus"
    }
  }
}

override_resource {
  target          = aws_dynamodb_table.items
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items" }
}

override_resource {
  target          = aws_sns_topic.review
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-west-1:123456789012:media-test-review" }
}

override_resource {
  target          = module.function.aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:review" }
}

override_resource {
  target          = module.function.aws_iam_role.this
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/media-test-review" }
}

run "the_function_may_read_these_queues_and_redrive_to_where_they_came_from" {
  command = plan

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      { Sid = "WriteLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:review:*"] },
      { Sid = "ReadConfiguration", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::kit/configuration/media-test-review/*"] },
      { Sid = "DeleteBodies", Effect = "Allow", Action = ["s3:DeleteObject", "s3:DeleteObjectVersion"], Resource = ["arn:aws:s3:::kit/bodies/review/*"] },
      { Sid = "EventBodies", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::kit/bodies/events/*"] },
      { Sid = "FindEventBodies", Effect = "Allow", Action = ["s3:ListBucket"], Resource = ["arn:aws:s3:::kit"], Condition = { StringLike = { "s3:prefix" = ["bodies/events/*"] } } },
      { Sid = "FindKeyQueues", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries/index/by-held"] },
      { Sid = "ListBodies", Effect = "Allow", Action = ["s3:ListBucketVersions"], Resource = ["arn:aws:s3:::kit"] },
      { Sid = "ListItems", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items/index/*"] },
      { Sid = "Notify", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:eu-west-1:123456789012:media-test-review"] },
      { Sid = "ReadCircuitBreakers", Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries"] },
      {
        Sid    = "ReadDeadLetters"
        Effect = "Allow"
        Action = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [
          "arn:aws:sqs:eu-west-1:123456789012:media-webhooks-dlq",
          "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq",
          "arn:aws:sqs:eu-west-1:123456789012:media-lake-dlq",
        ]
      },
      { Sid = "ReadItems", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items"] },
      { Sid = "ReadRules", Effect = "Allow", Action = ["events:DescribeRule"], Resource = ["arn:aws:events:eu-west-1:123456789012:rule/media/*"] },
      { Sid = "RedriveToBus", Effect = "Allow", Action = ["events:PutEvents"], Resource = ["arn:aws:events:eu-west-1:123456789012:event-bus/media"] },
      { Sid = "RedriveToFunctions", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = ["arn:aws:lambda:eu-west-1:123456789012:function:media-webhooks", "arn:aws:lambda:eu-west-1:123456789012:function:media-cms"] },
      { Sid = "RedriveToQueues", Effect = "Allow", Action = ["sqs:GetQueueAttributes", "sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:media-cms"] },
      { Sid = "StoreBodies", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["arn:aws:s3:::kit/bodies/review/*"] },
      { Sid = "TestEventPatterns", Effect = "Allow", Action = ["events:TestEventPattern"], Resource = ["*"] },
      { Sid = "WriteItems", Effect = "Allow", Action = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items"], Condition = { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["audit/*", "settings/*"] } } },
      { Sid = "WriteKeyQueues", Effect = "Allow", Action = ["dynamodb:PutItem", "dynamodb:UpdateItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries"], Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["key-queue|*", "key-queue-page|*", "*|parked/*"] } } },
    ]
    error_message = "The function may do this and nothing else."
  }

  assert {
    condition = (
      module.function.environment["HOP"] == "review/media-test-review"
      && module.function.environment["BUS_ARN"] == "arn:aws:events:eu-west-1:123456789012:event-bus/media"
      && module.function.environment["REVIEW_TABLE"] == "media-test-review-items"
      && module.function.environment["BODIES_URI"] == "s3://kit/bodies/review/"
      && module.function.environment["EVENT_BODIES_URI"] == "s3://kit/bodies/events/"
      && module.function.environment["CLOSED_RETENTION_DAYS"] == "30" && module.function.environment["NOTIFICATIONS_PER_HOUR"] == "20"
      && module.function.environment["TOPIC_ARN"] == "arn:aws:sns:eu-west-1:123456789012:media-test-review"
    )
    error_message = "The environment must be what docs/reference/function-configuration.md says."
  }

  assert {
    condition = jsondecode(local.configuration) == { dead_letter_queues = {
      "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq" = {
        url               = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq"
        hop               = "route/cms"
        destination       = "cms"
        queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms"
        redrive_target    = "queue"
        function_arn      = null
        consumer_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-cms"
        function_role_id  = null
        from_rules        = false
        rule_arn          = null
        idempotency_table = "media-deliveries"
        ordered           = false
        redrive           = { max_count = 3, base_delay_seconds = 60, max_delay_seconds = 3600, max_age_seconds = 172800, max_per_second = 5 }
      }
      "arn:aws:sqs:eu-west-1:123456789012:media-lake-dlq" = {
        url               = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-lake-dlq"
        hop               = "route/lake"
        destination       = "lake"
        queue_url         = null
        redrive_target    = "bus"
        function_arn      = null
        consumer_arn      = null
        function_role_id  = null
        from_rules        = false
        rule_arn          = null
        idempotency_table = null
        ordered           = false
        redrive           = { max_count = 3, base_delay_seconds = 60, max_delay_seconds = 600, max_age_seconds = 172800, max_per_second = 5 }
      }
      "arn:aws:sqs:eu-west-1:123456789012:media-webhooks-dlq" = {
        url               = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-webhooks-dlq"
        hop               = "ingress/webhooks"
        destination       = "bus"
        queue_url         = null
        redrive_target    = "bus"
        function_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-webhooks"
        consumer_arn      = null
        function_role_id  = null
        from_rules        = false
        rule_arn          = null
        idempotency_table = null
        ordered           = false
        redrive           = { max_count = 3, base_delay_seconds = 60, max_delay_seconds = 3600, max_age_seconds = 172800, max_per_second = 5 }
      }
    } }
    error_message = "The function finds the queue that a message is from by its ARN, and everything else there."
  }
}

run "every_queue_is_read_gently_and_watched" {
  command = plan

  assert {
    condition = alltrue([for key, mapping in aws_lambda_event_source_mapping.dlq :
      mapping.event_source_arn == var.dead_letter_queues[key].queue_arn
      && mapping.function_response_types == toset(["ReportBatchItemFailures"])
      && mapping.scaling_config[0].maximum_concurrency == 2
      && mapping.batch_size == 10
    ]) && toset(keys(aws_lambda_event_source_mapping.dlq)) == toset(keys(var.dead_letter_queues))
    error_message = "A mapping that does not report single failures would delete dead letters that are still waiting."
  }

  assert {
    condition = (
      toset(keys(module.alarms.alarms)) == toset(["dead-letters-unread", "items-opened", "messages-waiting", "oldest-open", "redrive-failed"])
      && module.alarms.alarms["dead-letters-unread"].period * module.alarms.alarms["dead-letters-unread"].periods == 3600
      && module.alarms.alarms["messages-waiting"].threshold == 10000 && module.alarms.alarms["messages-waiting"].severity == "warning"
      && module.alarms.alarms["oldest-open"].threshold == 86400
      && module.alarms.alarms["oldest-open"].actions["INSUFFICIENT_DATA"] == toset(var.settings.alarms.actions.critical)
      && try(length(module.alarms.alarms["items-opened"].actions["INSUFFICIENT_DATA"]), 0) == 0
      && aws_cloudwatch_event_rule.maintenance.schedule_expression == "rate(5 minutes)"
      && jsondecode(aws_cloudwatch_event_target.maintenance.input) == { maintenance = true }
      && module.alarms.alarms["items-opened"].metrics["metric"] == "MediaEvents ReviewItemsOpened Sum ${jsonencode({ service = "media-test-review" })}"
      && module.alarms.alarms["items-opened"].actions["ALARM"] == toset(var.settings.alarms.actions.critical)
    )
    error_message = "A queue that does not drain, and an item that waits for a person, must set off an alarm."
  }
}

run "the_review_table_lists_without_scanning_and_is_hard_to_lose" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_table.items.hash_key == "item_id"
      && { for index in aws_dynamodb_table.items.global_secondary_index : index.name => [index.hash_key, index.range_key, index.projection_type] } == {
        by-status  = ["status", "last_failed_at", "INCLUDE"]
        by-group   = ["group_status", "last_failed_at", "INCLUDE"]
        by-event   = ["event_id", "first_failed_at", "INCLUDE"]
        by-waiting = ["register", "waiting", "ALL"]
        by-closed  = ["status", "closed_at", "KEYS_ONLY"]

        by-type        = ["type_status", "last_failed_at", "INCLUDE"]
        by-partner     = ["partner_status", "last_failed_at", "INCLUDE"]
        by-hop         = ["hop_status", "last_failed_at", "INCLUDE"]
        by-destination = ["destination_status", "last_failed_at", "INCLUDE"]
      }
    )
    error_message = "The table must be as docs/reference/tables.md says."
  }

  assert {
    condition = { for index in aws_dynamodb_table.items.global_secondary_index : jsonencode(sort(index.non_key_attributes)) => index.name... if index.projection_type == "INCLUDE" } == {
      jsonencode(["destination", "error_code", "failure_class", "hop", "partner", "type"]) = ["by-destination", "by-group", "by-hop", "by-partner", "by-status", "by-type"]
      jsonencode(["ingress", "operation"])                                                 = ["by-event"]
    }
    error_message = "No index may have a copy of a body."
  }

  assert {
    condition     = aws_dynamodb_table.items.deletion_protection_enabled && aws_dynamodb_table.items.point_in_time_recovery[0].enabled
    error_message = "Items that wait for a person must not be deleted by mistake."
  }
}

run "t10_the_topic_takes_alarms_of_this_account_and_refuses_plain_transport" {
  command = plan

  assert {
    condition = jsondecode(aws_sns_topic_policy.review[0].policy).Statement == [
      {
        Sid       = "FunctionPublishes"
        Effect    = "Allow"
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-west-1:123456789012:media-test-review"
        Principal = { AWS = "arn:aws:iam::123456789012:role/media-test-review" }
      },
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-west-1:123456789012:media-test-review"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Condition = {
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*" }
          StringEquals = { "aws:SourceAccount" = "123456789012" }
        }
      },
      {
        Sid       = "OnlyEncryptedTransport"
        Effect    = "Deny"
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-west-1:123456789012:media-test-review"
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
    error_message = "The function publishes, and alarms, and only over TLS."
  }

  assert {
    condition     = aws_sns_topic.review[0].kms_master_key_id == null
    error_message = "CloudWatch may not use the key alias/aws/sns, and its alarms would be lost."
  }
}

run "a_customer_managed_key_and_a_table_for_a_day" {
  command = plan

  variables {
    settings = {
      bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
    }
    deletion_protection = false
    dead_letter_queues = {
      "route/lake" = {
        queue_arn      = "arn:aws:sqs:eu-west-1:123456789012:media-lake-dlq"
        queue_url      = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-lake-dlq"
        hop            = "route/lake"
        destination    = "lake"
        redrive_target = "bus"
      }
    }
  }

  assert {
    condition = (
      aws_dynamodb_table.items.server_side_encryption[0].kms_key_arn == var.settings.kms_key.arn
      && aws_sns_topic.review[0].kms_master_key_id == var.settings.kms_key.arn
      && contains([for statement in jsondecode(module.function.policy).Statement : statement.Sid], "UseKey")
      && !aws_dynamodb_table.items.deletion_protection_enabled
    )
    error_message = "The key must be used wherever events are kept, and the function be allowed to."
  }

  assert {
    condition     = length([for statement in jsondecode(module.function.policy).Statement : statement if contains(["RedriveToQueues", "RedriveToFunctions"], statement.Sid)]) == 0
    error_message = "Where everything goes back by the bus, nothing else may be sent to."
  }
}

run "the_function_must_outlive_one_that_tries_a_dead_letter_alone" {
  command = plan

  variables {
    function = { timeout_seconds = 59 }
  }

  expect_failures = [aws_lambda_event_source_mapping.dlq]
}

run "alarms_can_be_off" {
  command = plan

  variables {
    settings = { bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" }, alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "An environment may want no alarms."
  }
}

run "more_hops_than_the_policies_take_one_by_one_are_refused" {
  command = plan

  variables {
    dead_letter_queues = merge([for number in range(20) : {
      "route/a-destination-of-ours-${number}" = {
        queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-test-a-destination-of-ours-${number}-dlq"
        queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-a-destination-of-ours-${number}-dlq"
        hop               = "route/a-destination-of-ours-${number}"
        destination       = "a-destination-of-ours-${number}"
        source_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:media-test-a-destination-of-ours-${number}"
        source_queue_url  = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-a-destination-of-ours-${number}"
        consumer_arn      = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-a-destination-of-ours-${number}"
        redrive_target    = "queue"
        idempotency_table = { name = "media-test-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency" }
      }
    }]...)
    log_group_names    = { for number in range(20) : "route/a-destination-of-ours-${number}" => "/aws/lambda/media-test-a-destination-of-ours-${number}" }
    idempotency_tables = { for number in range(20) : "ingress/a-queue-of-ours-${number}" => { name = "media-test-a-queue-of-ours-${number}-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-a-queue-of-ours-${number}-idempotency" } }
    state_machine_arns = { for number in range(20) : "machine-${number}" => "arn:aws:states:eu-west-1:123456789012:stateMachine:media-test-machine-${number}" }
  }

  expect_failures = [output.operator_policies]
}

run "no_trail_unless_it_is_asked_for" {
  command = plan

  assert {
    condition     = length(aws_cloudtrail.this) == 0
    error_message = "CloudTrail charges for each call."
  }
}

run "a_trail_has_every_call_to_the_table_the_audit_and_the_functions" {
  command = plan

  variables {
    trail = { bucket_name = "trails", key_prefix = "media" }
  }

  assert {
    condition = jsonencode({
      for selector in aws_cloudtrail.this[0].advanced_event_selector : selector.name => {
        for field in selector.field_selector : field.field => concat(coalesce(field.equals, []), coalesce(field.starts_with, []))
      } if selector.name != "Functions"
      }) == jsonencode({
      "Review table" = { eventCategory = ["Data"], "resources.type" = ["AWS::DynamoDB::Table"], "resources.ARN" = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items"] }
      "Audit"        = { eventCategory = ["Data"], "resources.type" = ["AWS::S3::Object"], "resources.ARN" = ["arn:aws:s3:::media-test-review-audit-1/"] }
    })
    error_message = "The trail must show what was done past the review service, by whomever: reads and writes."
  }

  # The redrive function's own ARN is known only after it was made.
  assert {
    condition     = slice(local.trailed["Functions"].arns, 1, 3) == ["arn:aws:lambda:eu-west-1:123456789012:function:media-webhooks", "arn:aws:lambda:eu-west-1:123456789012:function:media-cms"]
    error_message = "The trail must show who invokes a hop's function."
  }

  assert {
    condition     = aws_cloudtrail.this[0].enable_log_file_validation && aws_cloudtrail.this[0].s3_bucket_name == "trails" && aws_cloudtrail.this[0].s3_key_prefix == "media"
    error_message = "A changed log file must be noticed."
  }
}

run "a_bucket_of_the_users_has_the_audit" {
  command = plan

  variables {
    existing_audit_bucket = { name = "audits", arn = "arn:aws:s3:::audits", kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
  }

  assert {
    condition = (
      length(module.audit) == 0 && output.audit_bucket == { name = "audits", arn = "arn:aws:s3:::audits" }
      && jsondecode(aws_dynamodb_table_item.audit.item).audit.S == "audits"
      && [for s in jsondecode(output.existing_audit_bucket_policy).Statement : s.Sid] == ["DenyOverwriting", "DenyWritingAsAnother", "DenyChanging"]
    )
    error_message = "The module makes none, and says what the bucket's policy needs."
  }

  assert {
    condition = alltrue([for policy in values(output.operator_policies) : length([
      for s in jsondecode(policy).Statement : s if s.Sid == "UseKeyOfAudit" && s.Resource == ["arn:aws:kms:eu-west-1:123456789012:key/1"]
    ]) == 1])
    error_message = "Who reads the audit may use its key."
  }
}

run "a_bucket_with_the_arn_of_another_is_refused" {
  command = plan

  variables {
    existing_audit_bucket = { name = "audits", arn = "arn:aws:s3:::other" }
  }

  expect_failures = [var.existing_audit_bucket]
}

run "an_impossible_lock_of_the_audit_is_refused" {
  command = plan

  variables {
    audit_lock = { mode = "COMPLIANCE", days = 0 }
  }

  expect_failures = [var.audit_lock]
}

run "a_topic_of_the_users_is_told_of_new_items" {
  command = plan

  variables {
    existing_topic = { arn = "arn:aws:sns:eu-west-1:123456789012:operators", kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/5f2c1d3e" } }
  }

  assert {
    condition     = length(aws_sns_topic.review) + length(aws_sns_topic_policy.review) == 0 && output.topic_arn == "arn:aws:sns:eu-west-1:123456789012:operators"
    error_message = "There is a topic besides the user's."
  }

  assert {
    condition     = [for s in jsondecode(module.function.policy).Statement : s.Resource if contains(["Notify", "UseKeyOfTopic"], s.Sid)] == [["arn:aws:sns:eu-west-1:123456789012:operators"], ["arn:aws:kms:eu-west-1:123456789012:key/5f2c1d3e"]]
    error_message = "The function may publish to the topic, and use its key."
  }
}

run "with_snap_start_dead_letters_and_the_schedule_go_to_the_alias" {
  command = plan

  variables {
    function = { snap_start = true }
  }

  override_resource {
    target          = module.function.aws_lambda_alias.live
    override_during = plan
    values = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-review:live"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:media-test-review:live/invocations"
    }
  }

  assert {
    condition = (
      alltrue([for mapping in aws_lambda_event_source_mapping.dlq : endswith(mapping.function_name, ":live")])
      && endswith(aws_cloudwatch_event_target.maintenance.arn, ":live") && aws_lambda_permission.maintenance_of_alias[0].qualifier == "live"
      && aws_lambda_permission.maintenance.qualifier == null
    )
    error_message = "The schedule needs a permission for the alias."
  }
}
