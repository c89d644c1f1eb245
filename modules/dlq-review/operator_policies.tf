################################################################################
# Policies for the roles of people who review
################################################################################

locals {
  # Everything of an item except what the event and its receiver said (body, response, message attributes); lists ask for these.
  review_attributes = [
    "item_id", "event_id", "source", "hop", "destination", "status", "failure_class", "error_code", "error_message", "attempts",
    "redrive_count", "first_failed_at", "last_failed_at", "group_id", "kind", "body_sha256", "body_size", "return_to", "bodyref",
    "correlation_id", "type", "partner", "partition_key", "attributesref", "retried_at", "resolved_at", "edit_of", "pending_edit",
    "superseded_by", "change", "version", "group_status", "type_status", "partner_status", "hop_status", "destination_status", "register",
    "waiting", "retained_bodies", "closed_at", "http_status", "stack_top", "audit",
  ]

  read_idempotency_records = [
    for arns in [local.named.idempotency_tables.arns] :
    { Sid = "ReadIdempotencyRecords", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = concat(
      local.resources.idempotency_tables, [for arn in local.key_queue_tables : "${arn}/index/by-held"],
    ) } if length(arns) > 0
  ]

  audit_key = [for key in try(var.existing_audit_bucket.kms_key, null)[*] : {
    Sid = "UseKeyOfAudit", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [key.arn]
  }]

  use_key = [for key in local.kms_key : { Sid = "UseKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [key.arn] }]

  # Items without what their events carry; the groups' counts and the audit whole, since neither holds any of it.
  read_metadata = concat(
    [
      {
        Sid      = "ReadItemsWithoutPayload"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
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
    local.read_audit,
    local.read_idempotency_records,
    local.use_key,
    local.read_operations,
  )

  read_items = concat(
    [
      { Sid = "ReadItems", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem"], Resource = [aws_dynamodb_table.items.arn] },
      { Sid = "ListItems", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["${aws_dynamodb_table.items.arn}/index/*"] },
      { Sid = "ReadBodies", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.bucket.arn}/${local.bodies_prefix}*"] },
      # Without it S3 answers 403 for a body that has been deleted.
      { Sid = "FindBodies", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.bucket.arn], Condition = { StringLike = { "s3:prefix" = ["${local.bodies_prefix}*"] } } },
    ],
    local.read_audit,
    local.read_idempotency_records,
    local.use_key,
    local.read_operations,
  )

  read_audit = concat(
    [{ Sid = "ReadAudit", Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = [local.audit.arn, "${local.audit.arn}/*"] }],
    local.audit_key,
  )

  # Only ever added to, and by everybody in their own name: the bucket's policy says so, too.
  add_to_audit = [{ Sid = "AddToAudit", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.audit.arn}/*/$${aws:userid}"] }]

  # An item's status is counted in its group, in the same transaction. Only Terraform says which types may be edited.
  change_items = [{
    Sid       = "ChangeItems"
    Effect    = "Allow"
    Action    = ["dynamodb:UpdateItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = concat(local.unchangeable, ["operation/*", "edit/*", "hour/*"]) } }
  }]

  # An item whose hop is gone becomes a new one at another destination. Whatever is not an item has a key with a slash.
  move_items = [{
    Sid       = "MoveItems"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["*/*"] } }
  }]

  # An edited event is stored before it is sent: without this permission the review service sends none.
  store_edited_events = [{
    Sid       = "StoreEditedEvents"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["edit/*"] } }
  }]

  store_operations = [{
    Sid       = "StoreOperations"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["operation/*"] } }
  }]

  # AWS's conditions know an event's source and type, and no more: any partner's event can be sent, with any content.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
  send_to_bus = [{
    Sid       = "SendToBus"
    Effect    = "Allow"
    Action    = ["events:PutEvents"]
    Resource  = [var.bus_arn]
    Condition = { "ForAllValues:StringLike" = { "events:source" = "partner.*" }, Null = { "events:source" = "false" } }
  }]

  send_to_hops = concat(
    local.send_to_bus,
    # An event's own, which may have expired; and those of an item that moves.
    [{ Sid = "StoreBodies", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.bucket.arn}/bodies/events/*", "${local.bucket.arn}/${local.bodies_prefix}*"] }],
    [for arns in [local.named.source_queues.arns] :
    { Sid = "SendToQueues", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = local.resources.source_queues } if length(arns) > 0],
    [for arns in [distinct(compact(values(var.dead_letter_queues)[*].function_arn))] :
    { Sid = "SendToFunctions", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = arns } if length(arns) > 0],
  )

  # Where a route keeps an order, the later events of a key wait for the one that failed until it is archived.
  release_keys = [for arns in [compact([for queue in values(var.dead_letter_queues) : queue.source_queue_arn if queue.ordered])] :
  { Sid = "ReleaseKeys", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = arns } if length(arns) > 0]

  # A decision about an item withdraws its event's effect, so that nothing on its way is delivered all the same. IAM sees keys, not conditions:
  # who may do that could also overwrite the record of a delivery.
  withdraw_effects = [for arns in [local.named.idempotency_tables.arns] : {
    Sid       = "WithdrawEffects"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = local.resources.idempotency_tables
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["*|destination/*", "*|transform/*"] } }
  } if length(arns) > 0]

  # An archive replay has a rule and a queue of its own, which collect what it replays; they are named after the bus.
  bus_name            = element(split("/", var.bus_arn), 1)
  replay_name         = "${local.bus_name}-replay-*"
  events_arn_prefix   = "arn:${local.partition}:events:${local.region}:${local.account_id}"
  replay_queue_arn    = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.replay_name}"
  archive_replay_arns = "${local.events_arn_prefix}:replay/${local.replay_name}"

  archive_replay = [for archive in var.archive[*] : concat(
    local.read_items,
    local.add_to_audit,
    local.store_operations,
    local.send_to_bus,
    [
      { Sid = "StartReplay", Effect = "Allow", Action = ["events:StartReplay"], Resource = [archive.arn, var.bus_arn, local.archive_replay_arns] },
      { Sid = "ReadArchive", Effect = "Allow", Action = ["events:DescribeArchive"], Resource = [archive.arn] },
      { Sid = "FollowReplay", Effect = "Allow", Action = ["events:CancelReplay", "events:DescribeReplay"], Resource = [local.archive_replay_arns] },
      {
        Sid      = "CollectByRule"
        Effect   = "Allow"
        Action   = ["events:DeleteRule", "events:PutRule", "events:RemoveTargets"]
        Resource = ["${local.events_arn_prefix}:rule/${local.bus_name}/${local.replay_name}"]
      },
      # A rule hands events to whatever it may name, such as a hop's function.
      {
        Sid       = "CollectInQueueAlone"
        Effect    = "Allow"
        Action    = ["events:PutTargets"]
        Resource  = ["${local.events_arn_prefix}:rule/${local.bus_name}/${local.replay_name}"]
        Condition = { "ForAllValues:ArnLike" = { "events:TargetArn" = local.replay_queue_arn }, Null = { "events:TargetArn" = "false" } }
      },
      {
        Sid    = "CollectInQueue"
        Effect = "Allow"
        Action = [
          "sqs:CreateQueue", "sqs:DeleteMessage", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
          "sqs:SetQueueAttributes",
        ]
        Resource = [local.replay_queue_arn]
      },
    ],
  )]

  # Without its record a delivery that was made can be made again: few people should be able to cause that.
  delete_delivery_records = [for arns in [local.circuit_breaker_tables] : {
    Sid       = "DeleteDeliveryRecords"
    Effect    = "Allow"
    Action    = ["dynamodb:DeleteItem"]
    Resource  = arns
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["*|destination/*"] } }
  } if length(arns) > 0]

  operator_statements = merge(
    {
      metadata   = local.read_metadata
      read       = local.read_items
      retry      = concat(local.read_items, local.add_to_audit, local.change_items, local.move_items, local.store_operations, local.send_to_hops)
      edit       = concat(local.read_items, local.add_to_audit, local.change_items, local.store_edited_events, local.withdraw_effects, local.send_to_hops)
      administer = concat(local.read_items, local.add_to_audit, local.change_items, local.store_operations, local.withdraw_effects, local.release_keys)
    },
    { for statements in local.archive_replay : "archive_replay" => statements },
    { for statements in local.archive_replay : "repeat_effects" => concat(statements, local.delete_delivery_records) },
  )

  operator_policies = { for name, statements in local.operator_statements : name => jsonencode({ Version = "2012-10-17", Statement = statements }) }
}
