module "alarms" {
  source = "../alarms"

  name     = var.name
  owner    = var.hop
  settings = var.settings

  alarms = merge(
    # Another account's queue has no metrics in this one.
    var.has_queue && try(var.existing_queue.age_alarm, true) ? {
      # AWS leaves messages that were received three times or more out of this metric, and a delayed copy is a new message: of these
      # the functions tell themselves (the router's alarm events-waiting). It shows that nobody reads the queue.
      # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
      queue-age = {
        severity    = "warning"
        description = "Messages wait in ${local.queue.name}: ${var.name} is stopped, throttled or too slow."
        runbook     = "queue-age"
        metrics     = { age = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = local.queue.name }, stat = "Maximum" } }
        periods     = 3
        threshold   = var.queue.age_alarm_seconds
      }
    } : {},
    { for fact, alarm in {
      event-age = {
        severity    = "warning"
        description = "Events wait for ${var.name}: it is throttled, too slow, or keeps failing for the time being."
        runbook     = "events-waiting"
        metrics     = { age = { namespace = "AWS/Lambda", name = "AsyncEventAge", dimensions = { FunctionName = var.name }, stat = "Maximum" } }
        periods     = 3
        threshold   = 3600000 # an hour, in milliseconds
      }
      destination-failed = {
        severity    = "critical"
        description = "Lambda could not send events that ${var.name} failed on to ${local.dlq_name}: these events are lost but for the bus's archive. Look at the role's permissions and the queue's key at once."
        runbook     = "dead-letters-lost"
        metrics     = { failures = { namespace = "AWS/Lambda", name = "DestinationDeliveryFailures", dimensions = { FunctionName = var.name }, stat = "Sum" } }
        period      = 60
      }
    } : fact => alarm if local.is_invoked },
    var.settings.alarms.reviewed ? {} : {
      dlq-age = {
        severity    = "critical"
        description = "Dead letters stay in ${local.dlq_name}: nothing redrives them or takes them to review."
        runbook     = "dead-letters-unread"
        metrics     = { age = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = local.dlq.name }, stat = "Maximum" } }
        periods     = 3
        threshold   = var.failure.dlq_age_alarm_seconds
      }
    },
  )
}
