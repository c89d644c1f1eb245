# Targets that were called otherwise in earlier versions.

moved {
  from = aws_cloudwatch_event_target.direct
  to   = aws_cloudwatch_event_target.own
}
