# The policies for people who review. Applied to mocks: the table's ARN is in them.

mock_provider "aws" {
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/made" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-review-items" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-review"
      invoke_arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-review"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/media-test-review" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:media-test-review" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

override_module {
  target  = module.audit
  outputs = { bucket = { name = "media-test-review-audit-1", arn = "arn:aws:s3:::media-test-review-audit-1" } }
}

variables {
  name     = "media-test-review"
  bus_arn  = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  archive  = { arn = "arn:aws:events:eu-west-1:123456789012:archive/media" }
  settings = { bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }

  dead_letter_queues = {
    "route/cms" = {
      queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq"
      queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq"
      hop               = "route/cms"
      destination       = "cms"
      source_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:media-cms"
      source_queue_url  = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms"
      redrive_target    = "queue"
      idempotency_table = { name = "media-deliveries", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries" }
    }
  }
}

run "each_policy_holds_what_its_name_says" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(output.operator_policies.read).Statement :
      alltrue([for action in statement.Action : contains([
        "cloudwatch:GetMetricData", "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query",
        "logs:DescribeQueryDefinitions", "logs:FilterLogEvents", "logs:GetQueryResults", "logs:StartQuery",
        "s3:GetObject", "s3:ListBucket", "sqs:GetQueueAttributes", "states:DescribeExecution",
      ], action)])
    ])
    error_message = "A role that may read may only read."
  }

  assert {
    condition = alltrue([for policy in values(output.operator_policies) : alltrue([
      for statement in jsondecode(policy).Statement : alltrue([
        for action in statement.Action : !contains(["dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:*"], action)
      ]) || statement.Sid == "DeleteDeliveryRecords"
    ])])
    error_message = "Nobody deletes items or the audit."
  }

  assert {
    condition = {
      for name, policy in output.operator_policies : name => {
        for statement in jsondecode(policy).Statement : statement.Sid => [statement.Action, statement.Resource]
        if strcontains(jsonencode(statement.Resource), "media-test-review-audit-1") || strcontains(jsonencode(try(statement.Condition, {})), "audit/*") && !contains(statement.Action, "dynamodb:UpdateItem") && statement.Sid != "ReadAuditAndCounts"
      }
      } == {
      for name in ["metadata", "read", "retry", "edit", "administer", "archive_replay", "repeat_effects"] : name => merge(
        { ReadAudit = [["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::media-test-review-audit-1", "arn:aws:s3:::media-test-review-audit-1/*"]] },
        { for _ in ["AddToAudit"] : "AddToAudit" => [["s3:PutObject"], ["arn:aws:s3:::media-test-review-audit-1/*/$${aws:userid}"]] if !contains(["metadata", "read"], name) },
      )
    }
    error_message = "Everybody reads the audit, and who acts adds to it in their own name, nowhere else."
  }

  assert {
    condition = [for statement in jsondecode(output.operator_policies.retry).Statement : statement.Resource if contains(statement.Action, "sqs:SendMessage")] == [
      ["arn:aws:sqs:eu-west-1:123456789012:media-cms"]
    ]
    error_message = "A retry sends to the hops' queues, and to no other."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(output.operator_policies.administer).Statement :
      !contains(statement.Action, "sqs:SendMessage") && !contains(statement.Action, "events:PutEvents")
    ])
    error_message = "Archiving needs no permission to send."
  }

  assert {
    condition = {
      for name, policy in output.operator_policies : name => flatten([
        for statement in jsondecode(policy).Statement : statement.Resource if contains(statement.Action, "dynamodb:DeleteItem")
      ])
      } == {
      metadata       = []
      read           = []
      retry          = []
      edit           = []
      administer     = []
      archive_replay = []
      repeat_effects = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries"]
    }
    error_message = "Only repeat_effects may delete records of deliveries, and nothing else."
  }

  assert {
    condition = {
      for name, policy in output.operator_policies : name => [
        for statement in jsondecode(policy).Statement : [statement.Resource, statement.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]]
        if contains(statement.Action, "dynamodb:PutItem") && strcontains(jsonencode(statement.Resource), "media-deliveries")
      ]
      } == {
      metadata       = []
      read           = []
      retry          = []
      edit           = [[["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries"], ["*|destination/*", "*|transform/*"]]]
      administer     = [[["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries"], ["*|destination/*", "*|transform/*"]]]
      archive_replay = []
      repeat_effects = []
    }
    error_message = "A decision about an item withdraws its event's effect at a destination, and writes no other record."
  }

  assert {
    condition = distinct(flatten([
      for statement in jsondecode(output.operator_policies.archive_replay).Statement : statement.Resource
      if contains(statement.Action, "events:StartReplay")
      ])) == tolist([
      "arn:aws:events:eu-west-1:123456789012:archive/media",
      "arn:aws:events:eu-west-1:123456789012:event-bus/media",
      "arn:aws:events:eu-west-1:123456789012:replay/media-replay-*",
    ])
    error_message = "events:StartReplay needs the archive, the bus and the replay."
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(output.operator_policies.archive_replay).Statement : [statement.Resource, statement.Condition]
      if contains(statement.Action, "events:PutTargets")
      ]) == jsonencode([[
        ["arn:aws:events:eu-west-1:123456789012:rule/media/media-replay-*"],
        { "ForAllValues:ArnLike" = { "events:TargetArn" = "arn:aws:sqs:eu-west-1:123456789012:media-replay-*" }, Null = { "events:TargetArn" = "false" } },
    ]])
    error_message = "The rule of an archive replay hands events to its queue, and to no function."
  }

  assert {
    condition = alltrue(flatten([for policy in values(output.operator_policies) : [
      for statement in jsondecode(policy).Statement : jsonencode(statement.Condition) == jsonencode({ "ForAllValues:StringLike" = { "events:source" = "partner.*" }, Null = { "events:source" = "false" } })
      if contains(statement.Action, "events:PutEvents")
    ]]))
    error_message = "Operators send partners' events, and no others."
  }

  assert {
    condition = distinct(flatten([
      for statement in jsondecode(output.operator_policies.archive_replay).Statement : statement.Resource
      if statement.Sid != "CountMessages" && anytrue([for action in statement.Action : startswith(action, "sqs:") || endswith(action, "Rule")])
      ])) == tolist([
      "arn:aws:events:eu-west-1:123456789012:rule/media/media-replay-*",
      "arn:aws:sqs:eu-west-1:123456789012:media-replay-*",
    ])
    error_message = "An archive replay makes rules and queues of its own, and touches no other."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(output.operator_policies.metadata).Statement :
      alltrue([
        for action in statement.Action : contains([
          "cloudwatch:GetMetricData", "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query",
          "logs:DescribeQueryDefinitions", "logs:FilterLogEvents", "logs:GetQueryResults", "logs:StartQuery",
          "sqs:GetQueueAttributes", "states:DescribeExecution",
        ], action)
      ]) || statement.Sid == "ReadAudit"
    ])
    error_message = "The policy metadata allows to read no bodies."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(output.operator_policies.metadata).Statement :
      statement.Condition["ForAllValues:StringEquals"]["dynamodb:Attributes"] != null
      && !contains(statement.Condition["ForAllValues:StringEquals"]["dynamodb:Attributes"], "body")
      && !contains(statement.Condition["ForAllValues:StringEquals"]["dynamodb:Attributes"], "response")
      && !contains(statement.Condition["ForAllValues:StringEquals"]["dynamodb:Attributes"], "message_attributes")
      && statement.Condition.StringEquals["dynamodb:Select"] == "SPECIFIC_ATTRIBUTES"
      if statement.Sid == "ReadItemsWithoutPayload"
    ])
    error_message = "Metadata must not hold what events carry."
  }

  assert {
    condition = [for name, policy in output.operator_policies : name if anytrue([
      for statement in jsondecode(policy).Statement :
      contains(try(statement.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"], []), "edit/*")
    ])] == ["edit"]
    error_message = "Only the policy `edit` allows to store edited events, which is needed to send one."
  }

  assert {
    condition = [for name, policy in output.operator_policies : name if anytrue([
      for statement in jsondecode(policy).Statement : contains(statement.Action, "dynamodb:UpdateItem")
    ])] == ["administer", "edit", "retry"]
    error_message = "Reading changes nothing."
  }

  assert {
    condition = alltrue(flatten([for policy in values(output.operator_policies) : [
      for statement in jsondecode(policy).Statement : [
        for kept in ["audit/*", "operation/*", "edit/*", "settings/*"] :
        contains(statement.Condition["ForAllValues:StringNotLike"]["dynamodb:LeadingKeys"], kept)
      ] if contains(statement.Action, "dynamodb:UpdateItem")
    ]]))
    error_message = "Nobody changes the audit, an edited event, or what may be edited."
  }

  assert {
    condition     = length(aws_dynamodb_table_item.settings) == 0
    error_message = "Editing is off by default."
  }
}

run "without_an_archive_there_is_none_to_replay" {
  command = apply

  variables {
    archive = null
  }

  assert {
    condition     = join(" ", keys(output.operator_policies)) == "administer edit metadata read retry"
    error_message = "Without an archive there are the policies for reviewing alone."
  }
}

run "types_that_may_be_edited_are_where_the_review_service_reads_them" {
  command = apply

  variables {
    editable_types = {
      "comment.created" = {}
      "asset.ready"     = { schema = jsonencode({ type = "object", required = ["asset_id"] }) }
    }
  }

  assert {
    condition = jsondecode(jsondecode(aws_dynamodb_table_item.settings[0].item).editable_types.S) == {
      "comment.created" = null
      "asset.ready"     = { type = "object", required = ["asset_id"] }
    }
    error_message = "Each type with its schema, null where any data may be."
  }

  assert {
    condition     = jsondecode(aws_dynamodb_table_item.settings[0].item).item_id.S == "settings/review"
    error_message = "The key is the one that the review service reads."
  }
}

run "every_policy_allows_status_and_trace" {
  command = apply

  variables {
    log_group_names = {
      "route/cms"       = "/aws/lambda/media-cms"
      "ingress/webhook" = "/aws/lambda/media-webhook"
    }
    idempotency_tables = { "ingress/webhook" = { name = "media-webhook", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-webhook" } }
    state_machine_arns = { publish = "arn:aws:states:eu-west-1:123456789012:stateMachine:media-publish" }
  }

  assert {
    condition = { for statement in jsondecode(output.operator_policies.read).Statement : statement.Sid => statement.Resource
      if contains(["SearchLogs", "ListQueries", "CountMessages", "ReadAges", "DescribeExecutions", "ReadIdempotencyRecords"], statement.Sid) } == {
      SearchLogs = [
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-cms",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-cms:*",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-review",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-review:*",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-webhook",
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-webhook:*",
      ]
      ListQueries            = ["*"]
      CountMessages          = ["arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq", "arn:aws:sqs:eu-west-1:123456789012:media-cms"]
      ReadAges               = ["*"]
      DescribeExecutions     = ["arn:aws:states:eu-west-1:123456789012:execution:media-publish:*"]
      ReadIdempotencyRecords = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries", "arn:aws:dynamodb:eu-west-1:123456789012:table/media-webhook", "arn:aws:dynamodb:eu-west-1:123456789012:table/media-deliveries/index/by-held"]
    }
    error_message = "Status and trace need these logs, queues, idempotency stores and executions, and no others."
  }

  assert {
    condition     = alltrue([for policy in values(output.operator_policies) : strcontains(policy, "SearchLogs") && strcontains(policy, "CountMessages")])
    error_message = "Retrying and archiving include looking."
  }
}

run "administer_may_release_the_keys_of_an_ordered_route" {
  command = apply

  variables {
    dead_letter_queues = {
      "route/cms" = {
        queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq"
        queue_url         = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq"
        hop               = "route/cms"
        destination       = "cms"
        source_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:media-cms"
        source_queue_url  = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms"
        redrive_target    = "queue"
        ordered           = true
        idempotency_table = { name = "media-orders", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-orders" }
      }
      "route/mam" = {
        queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-mam-dlq"
        queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-mam-dlq"
        hop              = "route/mam"
        destination      = "mam"
        source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-mam"
        source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-mam"
        redrive_target   = "queue"
      }
    }
  }

  assert {
    condition = [for statement in jsondecode(output.operator_policies.administer).Statement : statement.Resource if contains(statement.Action, "sqs:SendMessage")] == [
      ["arn:aws:sqs:eu-west-1:123456789012:media-cms"]
    ]
    error_message = "Archiving sends to the queues of ordered routes, and to no other."
  }

  assert {
    condition     = alltrue([for name in ["metadata", "read"] : contains(one([for statement in jsondecode(output.operator_policies[name]).Statement : statement.Resource if statement.Sid == "ReadIdempotencyRecords"]), "arn:aws:dynamodb:eu-west-1:123456789012:table/media-orders/index/by-held")])
    error_message = "Status counts what ordered routes have parked."
  }

  assert {
    condition = { for statement in jsondecode(module.function.policy).Statement : statement.Sid => jsonencode(statement) if contains(["FindKeyQueues", "WriteKeyQueues"], statement.Sid) } == {
      FindKeyQueues = jsonencode({ Action = ["dynamodb:Query"], Effect = "Allow", Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-orders/index/by-held"], Sid = "FindKeyQueues" })
      WriteKeyQueues = jsonencode({
        Action    = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["key-queue|*", "key-queue-page|*", "*|parked/*"] } }
        Effect    = "Allow"
        Resource  = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-orders"]
        Sid       = "WriteKeyQueues"
      })
    }
    error_message = "The maintenance lets the keys of ordered routes go on, and writes no other record of their store."
  }

  assert {
    condition     = module.alarms.alarms["parked-too-long"].metrics["metric"] == "MediaEvents OldestParkedAge Maximum ${jsonencode({ service = "media-test-review" })}"
    error_message = "Who keeps an order hears of what is parked for too long."
  }
}

run "a_hundred_hops_fit_what_iam_takes" {
  command = apply

  variables {
    name_prefix = "media-test-"

    dead_letter_queues = merge([for number in range(100) : {
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
    log_group_names    = { for number in range(100) : "route/a-destination-of-ours-${number}" => "/aws/lambda/media-test-a-destination-of-ours-${number}" }
    idempotency_tables = { for number in range(100) : "ingress/a-queue-of-ours-${number}" => { name = "media-test-a-queue-of-ours-${number}-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-a-queue-of-ours-${number}-idempotency" } }
    state_machine_arns = { for number in range(100) : "machine-${number}" => "arn:aws:states:eu-west-1:123456789012:stateMachine:media-test-machine-${number}" }
  }

  assert {
    condition     = alltrue([for policy in values(output.operator_policies) : length(policy) <= 6144])
    error_message = "A managed policy has 6144 characters at most."
  }

  assert {
    condition     = length(module.function.policy) <= 10240
    error_message = "A role has inline policies of 10240 characters at most."
  }

  assert {
    condition = { for statement in jsondecode(module.function.policy).Statement : statement.Sid => statement.Resource if contains(["ReadDeadLetters", "RedriveToQueues", "RedriveToFunctions"], statement.Sid) } == {
      ReadDeadLetters    = ["arn:aws:sqs:eu-west-1:123456789012:media-test-*dlq"]
      RedriveToQueues    = ["arn:aws:sqs:eu-west-1:123456789012:media-test-*"]
      RedriveToFunctions = ["arn:aws:lambda:eu-west-1:123456789012:function:media-test-*"]
    }
    error_message = "The deployment's own queues and functions are named by the beginning of their names, and nothing wider."
  }

  assert {
    condition = { for statement in jsondecode(output.operator_policies.retry).Statement : statement.Sid => statement.Resource
      if contains(["SearchLogs", "CountMessages", "DescribeExecutions", "ReadIdempotencyRecords", "SendToQueues"], statement.Sid) } == {
      SearchLogs             = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-*"]
      CountMessages          = ["arn:aws:sqs:eu-west-1:123456789012:media-test-*"]
      DescribeExecutions     = ["arn:aws:states:eu-west-1:123456789012:execution:media-test-*:*"]
      ReadIdempotencyRecords = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-*idempotency", "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency/index/by-held"]
      SendToQueues           = ["arn:aws:sqs:eu-west-1:123456789012:media-test-*"]
    }
    error_message = "So are the operators'."
  }
}

run "without_name_prefix_many_hops_end_the_plan" {
  command = plan

  variables {
    dead_letter_queues = { for number in range(36) : "route/destination-${number}" => {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-test-destination-${number}-dlq"
      queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-destination-${number}-dlq"
      hop              = "route/destination-${number}"
      destination      = "destination-${number}"
      source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:${number == 7 ? "a-queue-of-theirs" : "media-test-destination-${number}"}"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test-destination-${number}"
      redrive_target   = "queue"
    } }
  }

  expect_failures = [output.operator_policies]
}

run "the_error_says_which_name_prefix_to_set" {
  command = apply

  variables {
    dead_letter_queues = { for name in ["cms", "cut", "c"] : "route/${name}" => {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-test_${name}-dlq"
      queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-test_${name}-dlq"
      hop              = "route/${name}"
      destination      = name
      source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:theirs-${name}"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/theirs-${name}"
      redrive_target   = "queue"
    } }
  }

  assert {
    condition     = local.remedy == "Set name_prefix = \"media-test_\", unless names of another deployment in the account and region begin so"
    error_message = local.remedy
  }
}

run "the_error_says_so_if_the_names_have_no_beginning_in_common" {
  command = apply

  variables {
    dead_letter_queues = { for name in ["cms", "media-lake"] : "route/${name}" => {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:${name}-dlq"
      queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/${name}-dlq"
      hop              = "route/${name}"
      destination      = name
      source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:${name}"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/${name}"
      redrive_target   = "queue"
    } }
  }

  assert {
    condition     = startswith(local.remedy, "Give the dead-letter queues of this deployment names with a common beginning")
    error_message = local.remedy
  }
}

run "what_name_prefix_does_not_match_is_named_by_itself" {
  command = apply

  variables {
    name_prefix = "media-test-"
  }

  assert {
    condition = { for statement in jsondecode(module.function.policy).Statement : statement.Sid => statement.Resource if contains(["ReadDeadLetters", "RedriveToQueues"], statement.Sid) } == {
      ReadDeadLetters = ["arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq"]
      RedriveToQueues = ["arn:aws:sqs:eu-west-1:123456789012:media-cms"]
    }
    error_message = "media-cms is none of media-test-."
  }
}

run "t7_a_name_prefix_that_others_may_share_is_refused" {
  command = plan

  variables {
    name_prefix = "media"
  }

  expect_failures = [var.name_prefix]
}
