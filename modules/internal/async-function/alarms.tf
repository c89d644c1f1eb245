module "alarms" {
  source = "../alarms"

  name     = var.name
  owner    = var.hop
  settings = var.settings

  alarms = merge(
    {
      event-age = {
        severity    = "warning"
        description = "Events wait for ${var.name}: it is throttled, too slow, or keeps failing for the time being."
        metrics     = { age = { namespace = "AWS/Lambda", name = "AsyncEventAge", dimensions = { FunctionName = module.function.function_name }, stat = "Maximum" } }
        periods     = 3
        threshold   = 3600000 # an hour, in milliseconds
      }
      destination-failed = {
        severity    = "critical"
        description = "Lambda could not send events that ${var.name} failed on to ${local.dlq_name}: these events are lost but for the bus's archive. Look at the role's permissions and the queue's key at once."
        metrics     = { failures = { namespace = "AWS/Lambda", name = "DestinationDeliveryFailures", dimensions = { FunctionName = module.function.function_name }, stat = "Sum" } }
        period      = 60
      }
    },
    var.settings.alarms.reviewed ? {} : {
      dlq-age = {
        severity    = "critical"
        description = "Dead letters stay in ${local.dlq_name}: nothing redrives them or takes them to review."
        metrics     = { age = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = aws_sqs_queue.dlq.name }, stat = "Maximum" } }
        periods     = 3
        threshold   = var.failure.dlq_age_alarm_seconds
      }
    },
  )
}
