################################################################################
# Routes whose rule sends by itself: to a queue of yours, an API destination, a log group
################################################################################

locals {
  routes_to_queue = { for key, route in local.routes_by_rule : key => route if route.target.sqs != null }
  routes_to_api   = { for key, route in local.routes_by_rule : key => route if route.target.api_destination != null }
  routes_to_logs  = { for key, route in local.routes_by_rule : key => route if route.target.logs != null }

  own_target = merge(
    { for key, route in local.routes_to_queue : key => {
      arn               = route.target.sqs.queue_arn
      role_arn          = null
      message_group_id  = route.target.sqs.message_group_id
      api_destination   = null
      input_transformer = route.target.sqs.input_transformer
    } },
    { for key, route in local.routes_to_api : key => {
      arn               = aws_cloudwatch_event_api_destination.this[local.destinations[key]].arn
      role_arn          = local.rule_role_arns[key]
      message_group_id  = null
      api_destination   = route.target.api_destination
      input_transformer = route.target.api_destination.input_transformer
    } },
    { for key, route in local.routes_to_logs : key => {
      arn               = local.log_group_arns[key]
      role_arn          = null # a log group knows policies of its own only
      message_group_id  = null
      api_destination   = null
      input_transformer = route.target.logs.input_transformer
    } },
  )
  own_targets = { for key in keys(local.hops) : key => contains(local.by_rule_keys, key) ? [local.own_target[key]] : [] }

  targets = merge(
    { for key in keys(local.hops) : key => { arn = module.hop[key].queue_arn, role_arn = null } },
    { for key, hop in merge(local.transforms, local.routes) : key => { arn = module.hop[key].invocation_arn, role_arn = null } if hop.invocation == "direct" },
    { for key, target in local.own_target : key => { arn = target.arn, role_arn = target.role_arn } },
  )

  # For people, and known when planned.
  rule_target_names = merge(
    { for key, route in local.routes_to_queue : key => route.target.sqs.queue_arn },
    { for key, route in local.routes_to_api : key => route.target.api_destination.url },
    { for key in keys(local.routes_to_logs) : key => "the log group ${local.log_group_names[key]}" },
  )
}

# What the policy of the user's queue must say, as an output and, on request, attached. A queue has one policy, whatever number of routes
# leads there.
data "aws_iam_policy_document" "target" {
  for_each = local.routes_to_queue

  statement {
    sid       = "RulesSendEvents"
    actions   = ["sqs:SendMessage"]
    resources = [each.value.target.sqs.queue_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.all_rule_arns]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "OnlyEncryptedTransport"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.target.sqs.queue_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# By destination: which of its routes sets the policy may change, and the queue keeps it.
resource "aws_sqs_queue_policy" "own_target" {
  for_each = { for key, route in local.routes_to_queue : local.destinations[key] => key... if route.target.sqs.manage_queue_policy }

  queue_url = local.routes_to_queue[each.value[0]].target.sqs.queue_url
  policy    = data.aws_iam_policy_document.target[each.value[0]].json

  # It goes after the rules have other targets.
  lifecycle {
    create_before_destroy = true
  }
}
