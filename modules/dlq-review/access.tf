################################################################################
# What the people at the review desk may do, as policies for their roles
################################################################################

locals {
  # All of an item but what its event and the receiver said (body, response, message attributes); what lists ask for.
  review_attributes = [
    "item_id", "event_id", "source", "hop", "destination", "status", "failure_class", "error_code", "error_message", "attempts",
    "redrive_count", "first_failed_at", "last_failed_at", "group_id", "kind", "body_sha256", "body_size", "return_to", "bodyref",
    "correlation_id", "type", "partner", "partition_key", "attributesref", "replayed_at", "resolved_at", "edit_of", "pending_edit",
    "superseded_by", "change", "version", "group_status", "type_status", "partner_status", "hop_status", "destination_status", "register",
    "waiting", "kept", "closed_at", "http_status", "stack_top",
  ]

  review_ledgers = [for arns in [distinct(compact(concat(values(var.dead_letter_queues)[*].ledger_table_arn, var.ledger_table_arns)))] :
  { Sid = "ReadLedgers", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem"], Resource = arns } if length(arns) > 0]

  review_key = [for arn in compact([var.kms_key_arn]) :
  { Sid = "UseKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [arn] }]

  # Items without what their events carry; the groups' counts and the audit whole, since neither holds any of it.
  review_metadata = concat(
    [
      {
        Sid      = "ReadItemsWithoutPayload"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:Query"]
        Resource = [aws_dynamodb_table.items.arn, "${aws_dynamodb_table.items.arn}/index/*"]
        Condition = {
          "ForAllValues:StringEquals" = { "dynamodb:Attributes" = local.review_attributes }
          StringEquals                = { "dynamodb:Select" = "SPECIFIC_ATTRIBUTES" }
        }
      },
      {
        Sid      = "ReadAuditAndCounts"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        Resource = [aws_dynamodb_table.items.arn, "${aws_dynamodb_table.items.arn}/index/by-event"]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["audit/*", "operation/*", "group/*", "hour/*", "settings/*"] }
          # "For all" is true of none, too.
          Null = { "dynamodb:LeadingKeys" = "false" }
        }
      },
      # The groups' entries alone are in this index.
      { Sid = "ListGroups", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["${aws_dynamodb_table.items.arn}/index/by-waiting"] },
    ],
    local.review_ledgers,
    local.review_key,
    local.review_look,
  )

  review_read = concat(
    [
      { Sid = "ReadItems", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem"], Resource = [aws_dynamodb_table.items.arn] },
      { Sid = "ListItems", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["${aws_dynamodb_table.items.arn}/index/*"] },
      { Sid = "ReadBodies", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.bucket.arn}/${local.bodies_prefix}*"] },
    ],
    local.review_ledgers,
    local.review_key,
    local.review_look,
  )

  # The audit is only ever added to, under keys of its own: no policy here updates or deletes what is under audit/.
  review_audit = [{
    Sid       = "AddToAudit"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["audit/*"] } }
  }]

  # An item's status is counted in its group, in the same transaction. What may be edited is Terraform's alone.
  review_change = [{
    Sid       = "ChangeItems"
    Effect    = "Allow"
    Action    = ["dynamodb:UpdateItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["audit/*", "operation/*", "edit/*", "hour/*", "settings/*"] } }
  }]

  # An edited event is kept before it is sent: who may not keep one, the desk lets send none.
  review_edit = [{
    Sid       = "KeepEditedEvents"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["edit/*"] } }
  }]

  review_replay = concat(local.keep_operations, local.review_send)

  review_send = concat(
    [{ Sid = "PutBackOnBus", Effect = "Allow", Action = ["events:PutEvents"], Resource = [var.bus_arn] }],
    [{ Sid = "PutBackBodies", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.bucket.arn}/${local.event_bodies}*"] }],
    [for arns in [[for queue in values(var.dead_letter_queues) : queue.source_queue_arn if queue.redrive_target == "queue"]] :
    { Sid = "PutBackInQueues", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = arns } if length(arns) > 0],
    [for arns in [distinct(compact(values(var.dead_letter_queues)[*].function_arn))] :
    { Sid = "PutBackToFunctions", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = arns } if length(arns) > 0],
  )

  keep_operations = [{
    Sid       = "KeepOperations"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["operation/*"] } }
  }]

  # A replay has a rule and a queue of its own, which collect what it replays; they are named after the bus.
  bus_name        = element(split("/", var.bus_arn), 1)
  partition       = local.bus_arn_parts[1]
  replay_name     = "${local.bus_name}-replay-*"
  arn_of_events   = "arn:${local.partition}:events:${local.region}:${local.account_id}"
  replay_queue    = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.replay_name}"
  archive_replays = "${local.arn_of_events}:replay/${local.replay_name}"

  replay_archive = [for archive_arn in compact([var.archive_arn]) : concat(
    local.review_read,
    local.review_audit,
    local.keep_operations,
    [
      { Sid = "PutBackOnBus", Effect = "Allow", Action = ["events:PutEvents"], Resource = [var.bus_arn] },
      { Sid = "StartReplay", Effect = "Allow", Action = ["events:StartReplay"], Resource = [archive_arn, local.archive_replays] },
      { Sid = "ReadArchive", Effect = "Allow", Action = ["events:DescribeArchive"], Resource = [archive_arn] },
      { Sid = "FollowReplay", Effect = "Allow", Action = ["events:CancelReplay", "events:DescribeReplay"], Resource = [local.archive_replays] },
      {
        Sid      = "CollectByRule"
        Effect   = "Allow"
        Action   = ["events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
        Resource = ["${local.arn_of_events}:rule/${local.bus_name}/${local.replay_name}"]
      },
      {
        Sid    = "CollectInQueue"
        Effect = "Allow"
        Action = [
          "sqs:CreateQueue", "sqs:DeleteMessage", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
          "sqs:SetQueueAttributes",
        ]
        Resource = [local.replay_queue]
      },
    ],
  )]

  # With it a delivery that was made can be made again: for few.
  forget_effects = [for arns in [distinct(compact(values(var.dead_letter_queues)[*].ledger_table_arn))] : {
    Sid       = "ForgetEffects"
    Effect    = "Allow"
    Action    = ["dynamodb:DeleteItem"]
    Resource  = arns
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["*|destination/*"] } }
  } if length(arns) > 0]

  # Where a route keeps an order, the later events of a key wait for the one that failed until it is put away.
  review_put_away = [for arns in [compact([for queue in values(var.dead_letter_queues) : queue.source_queue_arn if queue.ordered])] :
  { Sid = "LetKeysGoOn", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = arns } if length(arns) > 0]

  operator_statements = merge(
    {
      metadata   = local.review_metadata
      read       = local.review_read
      replay     = concat(local.review_read, local.review_audit, local.review_change, local.review_replay)
      edit       = concat(local.review_read, local.review_audit, local.review_change, local.review_edit, local.review_send)
      administer = concat(local.review_read, local.review_audit, local.review_change, local.keep_operations, local.review_put_away)
    },
    { for statements in local.replay_archive : "replay_archive" => statements },
    { for statements in local.replay_archive : "repeat_effects" => concat(statements, local.forget_effects) },
  )
}
