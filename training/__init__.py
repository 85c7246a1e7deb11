"""From rows to a published adapter: checked data, our own tokens and masks, TRL underneath.

Letters in shape comments: B rows, T positions, H hidden size, V vocabulary, N labelled positions,
I and O the inputs and outputs of a linear layer, R the rank.
"""
