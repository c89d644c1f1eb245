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
      description = "${var.name} crashed, timed out or raised. See the log group ${aws_cloudwatch_log_group.this.name}."
      metrics     = { errors = { namespace = "AWS/Lambda", name = "Errors", dimensions = { FunctionName = aws_lambda_function.this.function_name }, stat = "Sum" } }
    }
  }
}
