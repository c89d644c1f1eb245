# Throttling and slowness have no alarm of their own: they show in the age of what waits, in the answers of the API, and, where an
# invocation runs out of time, here.
module "alarms" {
  source = "../alarms"

  name     = var.name
  owner    = var.hop
  settings = var.settings

  alarms = {
    errors = {
      severity    = "critical"
      description = "${var.name} crashed, timed out or raised. See the log group ${aws_cloudwatch_log_group.this.name}."
      metrics     = { errors = { namespace = "AWS/Lambda", name = "Errors", dimensions = { FunctionName = aws_lambda_function.this.function_name }, stat = "Sum" } }
    }
  }
}
