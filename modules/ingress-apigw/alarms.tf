module "alarms" {
  source = "../internal/alarms"

  name     = var.name
  owner    = local.hop
  settings = var.settings

  alarms = merge(
    { for fact, alarm in {
      "5xx" = {
        severity    = "critical"
        description = "Senders of webhooks get 5xx: the function fails or is throttled, or neither the bus nor the dead-letter queue takes events. Senders that give up lose them."
        runbook     = "5xx"
        metric      = "5xx"
        stat        = "Sum"
        comparison  = "GreaterThanOrEqualToThreshold"
        threshold   = var.alarm_thresholds.server_errors
        periods     = 1
      }
      # A warning: anybody on the internet can cause it.
      "4xx" = {
        severity    = "warning"
        description = "Many webhooks are refused: a partner rotated its secret or changed its format, or somebody is probing. The function's log says why (request refused)."
        runbook     = "4xx"
        metric      = "4xx"
        stat        = "Average" # the share of all calls
        comparison  = "GreaterThanThreshold"
        threshold   = var.alarm_thresholds.client_error_percent / 100
        periods     = 3
      }
      "latency" = {
        severity    = "warning"
        description = "Webhooks are answered slowly; most senders give up after 5 to 30 seconds and send again."
        runbook     = "latency"
        metric      = "Latency"
        stat        = "p99"
        comparison  = "GreaterThanThreshold"
        threshold   = var.alarm_thresholds.latency_ms
        periods     = 3
      }
      } : fact => {
      severity    = alarm.severity
      description = alarm.description
      runbook     = alarm.runbook
      metrics = { api = {
        namespace  = "AWS/ApiGateway"
        name       = alarm.metric
        dimensions = { ApiId = local.api.id, Stage = local.stage }
        stat       = alarm.stat
      } }
      comparison = alarm.comparison
      threshold  = alarm.threshold
      periods    = alarm.periods
    } },
    {
      outdated-secret = {
        severity    = "warning"
        description = "Webhooks are signed with a secret that was replaced longer ago than previous_secret_seconds, and are refused: a partner still uses it, or somebody else has it. The function's log names the partner (request refused, secret-outdated)."
        runbook     = "outdated-secret"
        metrics     = { used = { namespace = "MediaEvents", name = "OutdatedSecretUsed", dimensions = { service = var.name }, stat = "Sum" } }
      }
    },
    var.settings.alarms.reviewed ? {} : {
      dlq-age = {
        severity    = "critical"
        description = "Dead letters stay in ${local.dlq.name}: nothing redrives them or takes them to review."
        runbook     = "dead-letters-unread"
        metrics     = { age = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = local.dlq.name }, stat = "Maximum" } }
        comparison  = "GreaterThanThreshold"
        threshold   = var.failure.dlq_age_alarm_seconds
        periods     = 3
      }
    },
  )
}
