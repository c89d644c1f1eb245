################################################################################
# Permissions of `media-events trace` and `media-events status`, besides the review table and the idempotency stores
################################################################################

locals {
  log_groups = sort(distinct(concat(compact(values(var.log_group_names)), [module.function.log_group_name])))
  log_arns   = [for name in local.log_groups : "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${name}"]

  # The hops' queues as far as they are known here: somebody else's queue, or a rule's own target, is not.
  hop_queues = distinct(concat(values(var.dead_letter_queues)[*].queue_arn, compact(values(var.dead_letter_queues)[*].source_queue_arn)))

  read_operations = concat(
    [
      # AWS's user guide wants the ARN of a log group with an asterisk here, its service authorization reference the one without.
      { Sid = "SearchLogs", Effect = "Allow", Action = ["logs:FilterLogEvents"], Resource = flatten([for arn in local.log_arns : [arn, "${arn}:*"]]) },
      { Sid = "CountMessages", Effect = "Allow", Action = ["sqs:GetQueueAttributes"], Resource = local.hop_queues },
      # The ages of messages; GetMetricData has no resource-level permission.
      { Sid = "ReadAges", Effect = "Allow", Action = ["cloudwatch:GetMetricData"], Resource = ["*"] },
    ],
    [for arns in [values(var.state_machine_arns)] :
      { Sid = "DescribeExecutions", Effect = "Allow", Action = ["states:DescribeExecution"], Resource = [
        for arn in arns : "${replace(arn, ":stateMachine:", ":execution:")}:*"
    ] } if length(arns) > 0],
  )
}
