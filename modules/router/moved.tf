# Addresses that a change of ours renamed. A hop was at one of three addresses, by its kind; `moved` takes one resource to one other, and one
# module call's instances to another's, so the calls follow each other.

moved {
  from = module.direct
  to   = module.transform
}

moved {
  from = module.transform
  to   = module.route
}

moved {
  from = module.route
  to   = module.hop
}

moved {
  from = aws_cloudwatch_event_target.queue
  to   = aws_cloudwatch_event_target.this
}

# The target that takes their place has the same id on the same rule: to put it is to change them.
removed {
  from = aws_cloudwatch_event_target.function

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_cloudwatch_event_target.own

  lifecycle {
    destroy = false
  }
}

# A queue's policy is one thing, whichever address sets it.
removed {
  from = aws_sqs_queue_policy.target

  lifecycle {
    destroy = false
  }
}

# Each to module.hop[<key>].aws_sqs_queue.dlq, which only a root that knows the keys can say. Dead letters must not go with an address.
removed {
  from = aws_sqs_queue.dlq

  lifecycle {
    destroy = false
  }
}
