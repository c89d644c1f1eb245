################################################################################
# Log groups that rules write to
################################################################################

locals {
  made_log_groups = toset([for key, route in local.routes_to_logs : local.destinations[key] if route.target.logs.log_group == null])

  # EventBridge writes only to groups whose names begin so.
  log_group_names = { for key, route in local.routes_to_logs : key =>
    route.target.logs.log_group == null ? "/aws/events/${var.name}-${local.destinations[key]}" : split(":", route.target.logs.log_group.arn)[6]
  }
  # Composed, so that the policy is readable in the plan.
  log_group_arns = { for key, name in local.log_group_names : key => "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${name}" }
}

resource "aws_cloudwatch_log_group" "target" {
  #checkov:skip=CKV_AWS_158:Logs are encrypted by CloudWatch; settings.kms_key sets a key of your own
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice (settings.logs.retention_days); a year costs money that few want to spend
  for_each = local.made_log_groups

  name              = "/aws/events/${var.name}-${each.key}"
  retention_in_days = var.settings.logs.retention_days
  log_group_class   = var.settings.logs.class
  kms_key_id        = one(var.settings.kms_key[*].arn)
  tags              = var.settings.tags

  lifecycle {
    # It goes after the rules have other targets.
    create_before_destroy = true
    # A group's class can't be changed, and another group would be without the events that are in this one.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
    ignore_changes = [log_group_class]
  }
}

# As in AWS's own example (Amazon EventBridge User Guide, resource-based policies, CloudWatch Logs permissions). A request to make a
# stream does not tell for which rule it is; all that it can do is make an empty one.
data "aws_iam_policy_document" "logs" {
  count = length(local.routes_to_logs) > 0 ? 1 : 0

  statement {
    sid       = "RulesMakeStreams"
    actions   = ["logs:CreateLogStream"]
    resources = [for arn in distinct(values(local.log_group_arns)) : "${arn}:*"] # its streams

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com", "events.amazonaws.com"]
    }
  }

  statement {
    sid       = "RulesWriteEvents"
    actions   = ["logs:PutLogEvents"]
    resources = [for arn in distinct(values(local.log_group_arns)) : "${arn}:*:*"] # what is in its streams

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com", "events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.all_rule_arns]
    }
  }
}

# One for all routes: an account has ten such policies in a region at most.
resource "aws_cloudwatch_log_resource_policy" "rules" {
  count = var.manage_log_policy && length(local.routes_to_logs) > 0 ? 1 : 0

  policy_name     = "${var.name}-rules"
  policy_document = data.aws_iam_policy_document.logs[0].json

  lifecycle {
    # It goes after the rules have other targets.
    create_before_destroy = true

    precondition {
      condition     = length(data.aws_iam_policy_document.logs[0].minified_json) <= 5120
      error_message = "The policy that lets the rules into their log groups has more than 5120 characters, which CloudWatch Logs allows. Let several routes share a destination or a log group, or set manage_log_policy = false and write one policy for all of them, such as for the prefix /aws/events/${var.name}-."
    }
  }
}
