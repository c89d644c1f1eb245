# Throttling and slowness have no alarm of their own: they show in the age of what waits, in the answers of the API, and, where an
# invocation runs out of time, here.
#
# A hop's function that crashes on an event is tried again. If that does not help, the event becomes a dead letter, is tried alone, and
# then opens a review item: where dlq-review reads the dead letters, its alarm tells of crashes that matter, and names the event.
module "alarms" {
  source = "../alarms"

  name     = var.name
  owner    = var.hop
  settings = var.settings

  alarms = var.dead_lettered && var.settings.alarms.reviewed ? {} : {
    errors = {
      severity    = "critical"
      description = "${var.name} crashed, timed out or raised${var.recursive_loop == "Allow" ? "" : ", or Lambda took it for a loop and stopped it"}. See the log group ${local.log_group.name}."
      runbook     = "errors"
      # An invocation that Lambda stops as a loop is no error: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
      expression = var.recursive_loop == "Allow" ? null : "FILL(errors, 0) + FILL(dropped, 0)"
      metrics = { for id, metric in merge({ errors = "Errors" }, var.recursive_loop == "Allow" ? {} : { dropped = "RecursiveInvocationsDropped" }) :
        id => { namespace = "AWS/Lambda", name = metric, dimensions = { FunctionName = aws_lambda_function.this.function_name }, stat = "Sum" }
      }
    }
  }
}
