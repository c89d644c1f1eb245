data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Composed: the function comes after its role. The account comes from the role, since a data source would have to ask AWS.
  function_arn = "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.id}:${split(":", local.role_arn)[4]}:function:${var.name}"

  log_statement = {
    Sid      = "WriteLog"
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = ["${local.log_group.arn}:*"] # its streams
  }

  # All documents of this function and of no other: while a new configuration is rolled out, instances of the old
  # version still start, and must still find theirs.
  configuration_statements = local.has_configuration ? [{
    Sid      = "ReadConfiguration"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = ["${var.settings.bucket.arn}/${local.configuration_prefix}/*"]
  }] : []

  key_statements = [for key in var.settings.kms_key[*] : {
    Sid      = "UseKey"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [key.arn]
  }]

  network_interface_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]

  # Lambda connects a function to a VPC with the function's role. The denial leaves these actions to Lambda, and keeps them
  # from the function's code: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  vpc_statements = flatten([for _ in var.settings.vpc[*] : [
    {
      Sid      = "ConnectToVpc"
      Effect   = "Allow"
      Action   = local.network_interface_actions
      Resource = ["*"]
    },
    {
      Sid      = "KeepNetworkInterfacesFromCode"
      Effect   = "Deny"
      Action   = concat(local.network_interface_actions, ["ec2:DetachNetworkInterface"])
      Resource = ["*"]
      # AWS does not say whether the key has the qualifier of an alias.
      Condition = { ArnEquals = { "lambda:SourceFunctionArn" = concat([local.function_arn], var.function.snap_start ? ["${local.function_arn}:*"] : []) } }
    },
  ]])

  # These actions know no resource-level permission.
  tracing_statements = local.tracing == "Active" ? [{
    Sid      = "WriteTraces"
    Effect   = "Allow"
    Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
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
}

locals {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [local.log_statement],
      local.configuration_statements,
      local.key_statements,
      local.vpc_statements,
      local.tracing_statements,
      local.user_statements,
    )
  })
}

locals {
  own_role  = var.function.role == null
  role_arn  = local.own_role ? aws_iam_role.this[0].arn : var.function.role.arn
  role_name = local.own_role ? aws_iam_role.this[0].name : reverse(split("/", var.function.role.arn))[0]
}

resource "aws_iam_role" "this" {
  count = local.own_role ? 1 : 0

  name                 = "${var.settings.role_name_prefix}${var.name}"
  description          = "Permissions of the function ${var.name}"
  path                 = var.settings.role_path
  permissions_boundary = var.settings.permissions_boundary_arn
  tags                 = var.settings.tags

  # Lambda documents no condition keys for the assumption of an execution role, and needs none: a role can be passed to
  # functions of its own account only.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Lambda"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  lifecycle {
    # A role's path can't be changed, and AWS knows one role of a name, whatever its path.
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
    ignore_changes = [path]

    precondition {
      condition     = length("${var.settings.role_name_prefix}${var.name}") <= 64
      error_message = "The role ${var.settings.role_name_prefix}${var.name} would have a name of ${length("${var.settings.role_name_prefix}${var.name}")} characters; IAM takes 64. Shorten settings.role_name_prefix or the names."
    }
  }
}

resource "aws_iam_role_policy" "this" {
  count = local.own_role && var.settings.role_policies == "inline" ? 1 : 0

  name = "function"
  role = aws_iam_role.this[0].name

  policy = local.policy

  lifecycle {
    # "Role inline policies: 10,240 characters": https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    precondition {
      condition     = length(local.policy) <= 10240
      error_message = "The policy of the role ${var.name} would have ${length(local.policy)} characters; IAM takes 10240. Its longest lists: ${join(", ", [for sid, statement in var.policy_statements : "${length(statement.resources)} resources of ${sid}" if length(statement.resources) > 10])}."
    }
  }
}

resource "aws_iam_policy" "this" {
  count = local.own_role && var.settings.role_policies == "managed" ? 1 : 0

  name        = aws_iam_role.this[0].name
  description = "Permissions of the function ${var.name}"
  path        = var.settings.role_path
  tags        = var.settings.tags

  policy = local.policy

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

# The addresses before a function could have a role of the user's.
moved {
  from = aws_iam_role.this
  to   = aws_iam_role.this[0]
}

moved {
  from = aws_iam_role_policy.this
  to   = aws_iam_role_policy.this[0]
}
