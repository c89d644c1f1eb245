# Queries for CloudWatch Logs Insights: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
# Fields of our lines are in docs/reference/logs-and-metrics.md; @type, @duration and @requestId are of Lambda's own lines:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
# A line about several events has their ids between spaces.

locals {
  # A query may name 50: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
  max_log_groups = 50

  queries = {
    "Way of one event" = {
      kinds = null
      text  = <<-EOT
        fields @timestamp, hop, message, destination, reason, redrive_count, partner, type, request_id
        | filter event_id = "EVENT" or event_id like " EVENT "
        | sort @timestamp asc
        | limit 1000
      EOT
    }
    "Events of a correlation id or subject" = {
      kinds = ["ingress"]
      text  = <<-EOT
        fields @timestamp, event_id, partner, type, correlation_id, subject
        | filter message = "event accepted" or message = "event duplicate"
        | filter correlation_id = "ID" or correlation_id like " ID " or subject = "ID" or subject like " ID "
        | sort @timestamp desc
        | limit 1000
      EOT
    }
    "Failures by hop and error" = {
      kinds = null
      text  = <<-EOT
        filter message = "hop failed"
        | stats count(*) as failures, count_distinct(event_id) as events, max(@timestamp) as latest by hop, reason, error, at
        | sort failures desc
      EOT
    }
    "Refused requests by partner and reason" = {
      kinds = ["ingress"]
      text  = <<-EOT
        filter message = "request refused"
        | stats count(*) as requests, max(@timestamp) as latest by partner, reason, status
        | sort requests desc
      EOT
    }
    "Slowest deliveries" = {
      kinds = ["route"]
      text  = <<-EOT
        fields @timestamp, @duration, @log, @requestId
        | filter @type = "REPORT"
        | sort @duration desc
        | limit 100
      EOT
    }
  }

  searched = { for title, query in local.queries : title => chunklist([
    for hop in keys(var.log_group_names) : hop if query.kinds == null ? true : contains(query.kinds, split("/", hop)[0])
  ], local.max_log_groups) }

  saved = merge([for title, chunks in local.searched : { for index, hops in chunks :
    length(chunks) == 1 ? title : "${title} (${index + 1} of ${length(chunks)})" => { text = local.queries[title].text, hops = hops }
  }]...)
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = local.saved

  name            = "${var.name}/${each.key}"
  query_string    = trimspace(each.value.text)
  log_group_names = [for hop in each.value.hops : var.log_group_names[hop]]
}
