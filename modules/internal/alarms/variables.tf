variable "name" {
  description = "What the alarms watch: their names are `<name>-<fact>`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "The hop that the alarms are about, or what else: the keys of the output `names` are `<owner>/<fact>`."
  type        = string
  nullable    = false
}

variable "alarms" {
  description = <<-EOT
    The alarms, by fact: one alarm per fact.
      severity    = `critical` needs a person, `warning` is slow
      description = what happened, and where to look
      runbook     = section of the runbook that says more; the description ends with its address
      metrics     = metrics by id: one, or those that `expression` joins. CloudWatch bills each
      expression  = metric math over the ids, or a Metrics Insights query, which needs no `metrics`; null with one metric
      period, periods, threshold, comparison = the alarm goes off after so many periods (in seconds) in a row
      missing     = what periods without data mean, as CloudWatch says it
  EOT
  type = map(object({
    severity    = string
    description = string
    runbook     = string
    metrics = optional(map(object({
      namespace  = string
      name       = string
      dimensions = optional(map(string), {})
      stat       = string
    })), {})
    expression = optional(string)
    period     = optional(number, 300)
    periods    = optional(number, 1)
    threshold  = optional(number, 0)
    comparison = optional(string, "GreaterThanThreshold")
    missing    = optional(string, "notBreaching")
  }))
  nullable = false
}
