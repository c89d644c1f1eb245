module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = "ingress/${var.name}"
  settings = var.settings

  # An existing topic may be another account's, whose metrics are not in this one.
  alarms = local.own_topic ? {
    notifications-failed = {
      severity    = "critical"
      description = "The topic ${var.name} could not deliver to its queue. The messages are in the dead-letter queue, or, where NumberOfNotificationsFailedToRedriveToDlq counts, lost but for the topic's archive. Look at the policies of both queues and their key at once."
      runbook     = "notifications-failed"
      metrics = { for id, metric in { failed = "NumberOfNotificationsFailed", lost = "NumberOfNotificationsFailedToRedriveToDlq" } :
        id => { namespace = "AWS/SNS", name = metric, dimensions = { TopicName = aws_sns_topic.this[0].name }, stat = "Sum" }
      }
      expression = "FILL(failed, 0) + FILL(lost, 0)"
    }
  } : {}
}
