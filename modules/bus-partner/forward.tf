################################################################################
# Unmodified: rule -> bus
################################################################################

locals {
  source_condition = {
    source = concat(
      [for source in local.sources : source if !endswith(source, "*")],
      [for source in local.sources : { prefix = trimsuffix(source, "*") } if endswith(source, "*")],
    )
  }

  # As in internal/hop-definitions/patterns.tf: where an alternative names a source, the condition belongs into the others.
  user_pattern = try(merge(jsondecode(var.pattern)), {})
  alternatives = try([for alternative in local.user_pattern["$or"] : alternative], [])
  alternatives_name_source = [
    for alternative in local.alternatives : can(alternative.source) || anytrue([for inner in try(alternative["$or"], []) : can(inner.source)])
  ]
  pattern = jsonencode(merge(
    local.user_pattern,
    { for field, value in local.source_condition : field => value if !anytrue(local.alternatives_name_source) },
    { for field, value in { "$or" = [for index, alternative in local.alternatives : merge(
      alternative,
      { for field, value in local.source_condition : field => value if !local.alternatives_name_source[index] },
      { for field, value in { "$or" = [for inner in try(alternative["$or"], []) : merge(local.source_condition, inner)] } :
      field => value if local.alternatives_name_source[index] && !can(alternative.source) },
    )] } : field => value if anytrue(local.alternatives_name_source) },
  ))

  # AWS counts the characters themselves, jsonencode escapes some of them: internal/hop-definitions/patterns.tf says how that is known.
  pattern_length = length(replace(replace(replace(local.pattern, "\\u003c", "<"), "\\u003e", ">"), "\\u0026", "&"))

  # Sources that alternatives name, of which only the partner's own may be taken.
  named_sources = flatten([
    for alternative in local.alternatives : [for each in concat([alternative], try([for inner in alternative["$or"] : inner], [])) : try(each.source, [])]
  ])
  foreign_sources = [for source in local.named_sources : jsonencode(source) if !anytrue([
    for own in local.sources : try(endswith(own, "*") ? startswith(source, trimsuffix(own, "*")) : source == own, false)
  ])]

  # arn:<partition>:events:<region>:<account>:rule/<bus>/<rule>
  rule_arn_parts = [for rule in aws_cloudwatch_event_rule.forward : split(":", rule.arn)]
  account_id     = one(local.rule_arn_parts[*][4])

  # Composed rather than read from the queue: the policy is inline, since the provider waits for every separate one.
  dlq_name = "${var.name}-dlq"
  dlq_arn  = one([for parts in local.rule_arn_parts : join(":", ["arn", parts[1], "sqs", parts[3], parts[4], local.dlq_name])])

  own_dlq = var.forward_unmodified && var.existing_dlq == null
  dlq = local.own_dlq ? { name = aws_sqs_queue.dlq[0].name, arn = aws_sqs_queue.dlq[0].arn, url = aws_sqs_queue.dlq[0].url } : {
    name = try(element(split(":", var.existing_dlq.arn), 5), null)
    arn  = try(var.existing_dlq.arn, null)
    url  = try(var.existing_dlq.url, null)
  }
  allow_rule = [for rule in aws_cloudwatch_event_rule.forward : {
    Sid       = "AllowRule"
    Effect    = "Allow"
    Principal = { Service = "events.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = { ArnEquals = { "aws:SourceArn" = rule.arn } }
  }]
}

resource "aws_cloudwatch_event_rule" "forward" {
  count = var.forward_unmodified ? 1 : 0

  name           = var.name
  description    = "Sends the events of ${var.event_source_name} to ${var.bus_arn}"
  event_bus_name = local.bus_name
  event_pattern  = local.pattern
  tags           = var.settings.tags

  lifecycle {
    precondition {
      condition     = local.pattern_length <= 2048
      error_message = "The pattern has ${local.pattern_length} characters with its sources; EventBridge allows 2048."
    }
    precondition {
      condition     = length(local.foreign_sources) == 0
      error_message = "The pattern names ${join(" and ", local.foreign_sources)} in $or, which is none of the partner's sources: name one of these in full."
    }
  }
}

resource "aws_cloudwatch_event_target" "forward" {
  count = var.forward_unmodified ? 1 : 0

  rule           = aws_cloudwatch_event_rule.forward[0].name
  event_bus_name = local.bus_name
  target_id      = "bus"
  arn            = var.bus_arn
  role_arn       = local.forward_role_arn

  dead_letter_config {
    arn = local.dlq.arn
  }

  # Both halves: the provider would send 0 for the one left out.
  retry_policy {
    maximum_event_age_in_seconds = var.rule_retry.max_age_seconds
    maximum_retry_attempts       = var.rule_retry.max_attempts
  }

  depends_on = [aws_iam_role_policy.forward, aws_iam_role_policy_attachment.forward]
}

locals {
  own_forward_role = var.forward_unmodified && var.existing_role == null
  forward_role_arn = var.existing_role == null ? one(aws_iam_role.forward[*].arn) : var.existing_role.arn

  forward_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "PutOnBus"
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = [var.bus_arn]
    }]
  })
}

resource "aws_iam_role" "forward" {
  count = local.own_forward_role ? 1 : 0

  name                 = "${var.settings.role_name_prefix}${var.name}"
  description          = "Lets EventBridge send events of ${var.name} to the bus"
  path                 = var.settings.role_path
  permissions_boundary = var.settings.permissions_boundary_arn
  tags                 = var.settings.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rule"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = {
        ArnEquals    = { "aws:SourceArn" = aws_cloudwatch_event_rule.forward[0].arn }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })

  # A role's path can't be changed, and AWS knows one role of a name, whatever its path.
  # https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
  lifecycle {
    ignore_changes = [path]
  }
}

resource "aws_iam_role_policy" "forward" {
  count = local.own_forward_role && var.settings.role_policies == "inline" ? 1 : 0

  name   = "bus"
  role   = aws_iam_role.forward[0].name
  policy = local.forward_policy
}

resource "aws_iam_policy" "forward" {
  count = local.own_forward_role && var.settings.role_policies == "managed" ? 1 : 0

  name        = aws_iam_role.forward[0].name
  description = "Lets EventBridge send events of ${var.name} to the bus"
  path        = var.settings.role_path
  policy      = local.forward_policy
  tags        = var.settings.tags
}

resource "aws_iam_role_policy_attachment" "forward" {
  count = length(aws_iam_policy.forward)

  role       = aws_iam_role.forward[0].name
  policy_arn = aws_iam_policy.forward[0].arn
}

resource "aws_sqs_queue" "dlq" {
  count = local.own_dlq ? 1 : 0

  name                       = local.dlq_name
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.failure.dlq_visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = var.settings.kms_key == null ? true : null
  kms_master_key_id          = one(var.settings.kms_key[*].arn)
  tags                       = var.settings.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.dlq_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for statement in local.allow_rule : merge(statement, { Resource = local.dlq_arn })],
    )
  })

  # Only the rule sends here; no queue may make it its own dead-letter queue.
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}
