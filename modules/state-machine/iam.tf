locals {
  key_statements = [for key in var.settings.kms_key[*] : {
    Sid      = "UseKey"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [key.arn]
  }]

  # Log delivery knows no resource-level permissions for these actions.
  log_statements = [{
    Sid    = "DeliverLogs"
    Effect = "Allow"
    Action = [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ]
    Resource = ["*"]
  }]

  # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html#xray-iam
  tracing_statements = var.settings.tracing == "Active" ? [{
    Sid      = "TraceExecutions"
    Effect   = "Allow"
    Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    Resource = ["*"]
  }] : []

  user_statements = [for sid, statement in var.policy_statements : merge(
    {
      Sid      = sid
      Effect   = "Allow"
      Action   = statement.actions
      Resource = statement.resources
    },
    length(statement.conditions) == 0 ? {} : {
      Condition = {
        for test in distinct(statement.conditions[*].test) : test => {
          for condition in statement.conditions : condition.variable => condition.values if condition.test == test
        }
      }
    },
  )]

  statements = concat(local.log_statements, local.key_statements, local.tracing_statements, local.user_statements)
}

locals {
  own_role = var.existing_role == null
  role_arn = local.own_role ? aws_iam_role.this[0].arn : var.existing_role.arn
  policy   = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

resource "aws_iam_role" "this" {
  count = local.own_role ? 1 : 0

  name                 = "${var.settings.role_name_prefix}${var.name}"
  description          = "Permissions of the workflow ${var.name}"
  path                 = var.settings.role_path
  permissions_boundary = var.settings.permissions_boundary_arn
  tags                 = var.settings.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "StepFunctions"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = {
        ArnEquals    = { "aws:SourceArn" = local.machine_arns }
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

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_290:Log delivery knows no resource-level permissions
  #checkov:skip=CKV_AWS_355:Log delivery knows no resource-level permissions
  count = local.own_role && var.settings.role_policies == "inline" ? 1 : 0

  name   = "workflow"
  role   = aws_iam_role.this[0].name
  policy = local.policy
}

resource "aws_iam_policy" "this" {
  #checkov:skip=CKV_AWS_290:Log delivery knows no resource-level permissions
  #checkov:skip=CKV_AWS_355:Log delivery knows no resource-level permissions
  count = local.own_role && var.settings.role_policies == "managed" ? 1 : 0

  name        = aws_iam_role.this[0].name
  description = "Permissions of the workflow ${var.name}"
  path        = var.settings.role_path
  policy      = local.policy
  tags        = var.settings.tags

  lifecycle {
    # "Managed policy: 6,144 characters": https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    precondition {
      condition     = length(local.policy) <= 6144
      error_message = "The policy of the role ${var.name} would have ${length(local.policy)} characters; IAM takes 6144 as a managed policy. Set settings.role_policies = \"inline\", which takes 10240."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  count = length(aws_iam_policy.this)

  role       = aws_iam_role.this[0].name
  policy_arn = aws_iam_policy.this[0].arn
}

# The addresses before a workflow could have a role and a log group of the user's.
moved {
  from = aws_iam_role.this
  to   = aws_iam_role.this[0]
}

moved {
  from = aws_iam_role_policy.this
  to   = aws_iam_role_policy.this[0]
}

moved {
  from = aws_cloudwatch_log_group.this
  to   = aws_cloudwatch_log_group.this[0]
}
