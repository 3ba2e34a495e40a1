// Nothing but the precompiled <torch/torch.h> that every target of models/ reuses.
