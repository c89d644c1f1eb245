################################################################################
# Housekeeping: the same function, every few minutes
################################################################################

# It confirms replays, deletes what has been settled for long, and measures what waits, also where nobody is at the desk.
resource "aws_cloudwatch_event_rule" "housekeeping" {
  name                = "${var.name}-housekeeping"
  description         = "Keeps house in the review table"
  schedule_expression = var.housekeeping_minutes == 1 ? "rate(1 minute)" : "rate(${var.housekeeping_minutes} minutes)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "housekeeping" {
  rule      = aws_cloudwatch_event_rule.housekeeping.name
  target_id = "function"
  arn       = module.function.function_arn
  input     = jsonencode({ housekeeping = true })
}

resource "aws_lambda_permission" "housekeeping" {
  statement_id  = "Housekeeping"
  action        = "lambda:InvokeFunction"
  function_name = module.function.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.housekeeping.arn
}
