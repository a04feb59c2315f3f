def announced_responses(past, periods):
    raise NotImplementedError
