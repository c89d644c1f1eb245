module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = "bus/${var.name}"
  settings = var.settings

  # Over all rules of the bus, whoever made them: EventBridge counts per bus and rule, and these queries add it up.
  alarms = { for fact, alarm in {
    failed-invocations = {
      metric      = "FailedInvocations"
      description = "Targets of rules on the bus ${var.name} could not be invoked: a permission is missing, or the target is gone. The events are in the targets' dead-letter queues, if they have any."
      runbook     = "rule-failed"
    }
    dead-letters-lost = {
      metric      = "InvocationsFailedToBeSentToDlq"
      description = "Events of the bus ${var.name} could be sent neither to their target nor to its dead-letter queue, and are lost but for the archive. Look at the queue's policy and key."
      runbook     = "dead-letters-lost"
    }
    } : fact => {
    severity    = "critical"
    description = alarm.description
    runbook     = alarm.runbook
    expression  = "SELECT SUM(${alarm.metric}) FROM SCHEMA(\"AWS/Events\", EventBusName, RuleName) WHERE EventBusName = '${local.bus.name}'"
  } }
}
