module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = "state-machine/${var.name}"
  settings = var.settings

  alarms = merge(
    {
      failed = {
        severity    = "critical"
        description = "Executions of ${var.name} fail, or take longer than their definition allows. The log group ${local.log_group.name} says where and why."
        runbook     = "executions-failed"
        metrics = { for id, metric in { failed = "ExecutionsFailed", timed_out = "ExecutionsTimedOut" } :
          id => { namespace = "AWS/States", name = metric, dimensions = { StateMachineArn = aws_sfn_state_machine.this.arn }, stat = "Sum" }
        }
        expression = "FILL(failed, 0) + FILL(timed_out, 0)"
      }
    },
    var.type == "EXPRESS" ? {} : {
      throttled = {
        severity    = "warning"
        description = "Transitions of ${var.name} wait for the account's quota of Step Functions."
        runbook     = "throttled"
        metrics     = { throttled = { namespace = "AWS/States", name = "ExecutionThrottled", dimensions = { StateMachineArn = aws_sfn_state_machine.this.arn }, stat = "Sum" } }
      }
    },
  )
}
