################################################################################
# Review maintenance: the same function, every few minutes
################################################################################

# It confirms retries, deletes items that were closed long ago, and measures how many are open, also where nobody opens the review page.
resource "aws_cloudwatch_event_rule" "maintenance" {
  name                = "${var.name}-maintenance"
  description         = "Maintains the review table"
  schedule_expression = var.maintenance_minutes == 1 ? "rate(1 minute)" : "rate(${var.maintenance_minutes} minutes)"
  tags                = var.settings.tags
}

resource "aws_cloudwatch_event_target" "maintenance" {
  rule      = aws_cloudwatch_event_rule.maintenance.name
  target_id = "function"
  arn       = module.function.invocation.arn
  input     = jsonencode({ maintenance = true })

  depends_on = [aws_lambda_permission.maintenance_of_alias]
}

resource "aws_lambda_permission" "maintenance" {
  statement_id  = "Maintenance"
  action        = "lambda:InvokeFunction"
  function_name = module.function.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.maintenance.arn
}

resource "aws_lambda_permission" "maintenance_of_alias" {
  count = module.function.invocation.qualifier == null ? 0 : 1

  statement_id_prefix = "Maintenance-"
  action              = "lambda:InvokeFunction"
  function_name       = module.function.function_name
  qualifier           = module.function.invocation.qualifier
  principal           = "events.amazonaws.com"
  source_arn          = aws_cloudwatch_event_rule.maintenance.arn

  lifecycle {
    create_before_destroy = true
  }
}
