################################################################################
# What the people at the review desk may do, as policies for their roles
################################################################################

locals {
  review_read = concat(
    [
      { Sid = "ReadItems", Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = [aws_dynamodb_table.items.arn] },
      { Sid = "ListItems", Effect = "Allow", Action = ["dynamodb:Query"], Resource = ["${aws_dynamodb_table.items.arn}/index/*"] },
      { Sid = "ReadBodies", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.bucket.arn}/${local.bodies_prefix}*"] },
    ],
    [for arns in [distinct(compact(values(var.dead_letter_queues)[*].ledger_table_arn))] :
    { Sid = "ReadLedgers", Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = arns } if length(arns) > 0],
    [for arn in compact([var.kms_key_arn]) :
    { Sid = "UseKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [arn] }],
  )

  # The audit is only ever added to, under keys of its own: no policy here updates or deletes what is under audit/.
  review_audit = [{
    Sid       = "AddToAudit"
    Effect    = "Allow"
    Action    = ["dynamodb:PutItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["audit/*"] } }
  }]

  review_change = [{
    Sid       = "ChangeItems"
    Effect    = "Allow"
    Action    = ["dynamodb:UpdateItem"]
    Resource  = [aws_dynamodb_table.items.arn]
    Condition = { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["audit/*", "operation/*", "group/*"] } }
  }]

  review_replay = concat(
    [
      {
        Sid       = "KeepOperations"
        Effect    = "Allow"
        Action    = ["dynamodb:PutItem"]
        Resource  = [aws_dynamodb_table.items.arn]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["operation/*"] } }
      },
    ],
    [{ Sid = "PutBackOnBus", Effect = "Allow", Action = ["events:PutEvents"], Resource = [var.bus_arn] }],
    [for arns in [[for queue in values(var.dead_letter_queues) : queue.source_queue_arn if queue.route_back == "queue"]] :
    { Sid = "PutBackInQueues", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = arns } if length(arns) > 0],
    [for arns in [distinct(compact(values(var.dead_letter_queues)[*].function_arn))] :
    { Sid = "PutBackToFunctions", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = arns } if length(arns) > 0],
  )

  operator_statements = {
    read       = local.review_read
    replay     = concat(local.review_read, local.review_audit, local.review_change, local.review_replay)
    administer = concat(local.review_read, local.review_audit, local.review_change)
  }
}
