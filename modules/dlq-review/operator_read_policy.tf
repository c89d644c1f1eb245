################################################################################
# Permissions of `media-events trace`, `media-events status` and queries of the logs, besides the review table and the idempotency stores
################################################################################

locals {
  read_operations = concat(
    [
      # AWS's user guide wants the ARN of a log group with an asterisk here, its service authorization reference the one without.
      { Sid = "SearchLogs", Effect = "Allow", Action = ["logs:FilterLogEvents", "logs:GetQueryResults", "logs:StartQuery"], Resource = flatten([for arn in local.resources.log_groups : endswith(arn, "*") ? [arn] : [arn, "${arn}:*"]]) },
      # The saved queries of `dashboard`; DescribeQueryDefinitions has no resource-level permission.
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
      { Sid = "ListQueries", Effect = "Allow", Action = ["logs:DescribeQueryDefinitions"], Resource = ["*"] },
      { Sid = "CountMessages", Effect = "Allow", Action = ["sqs:GetQueueAttributes"], Resource = local.resources.hop_queues },
      # The ages of messages; GetMetricData has no resource-level permission.
      { Sid = "ReadAges", Effect = "Allow", Action = ["cloudwatch:GetMetricData"], Resource = ["*"] },
    ],
    [for arns in [local.named.state_machines.arns] :
      { Sid = "DescribeExecutions", Effect = "Allow", Action = ["states:DescribeExecution"], Resource = [
        for arn in local.resources.state_machines : "${replace(arn, ":stateMachine:", ":execution:")}:*"
    ] } if length(arns) > 0],
  )
}
