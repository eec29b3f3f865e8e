"""The meaning of keys that the job's models do not describe themselves. A key with a description needs none here."""

MEANINGS = {
    "name": "What runs of this job are called after",
    "seed": "The training seeds that providers get derive from it. The selection of sub-runs does not",
    "plugins": "Python files with attacks and metrics that the job may name, each as a path",
    "task": "What is learned",
    "task.kind": "The kind of task",
    "task.dataset": "For images: `digits`; `tensors:PATH`, safetensors with uint8 `images` [N, C, H, W] and integer "
    "`labels`, and optionally `test_images` and `test_labels`; `images:PATH`, one folder for each class; or "
    "`torchvision:NAME`. For texts: `reviews`, 3,000 short sentences that come with auditor; or "
    "a file with a text and a label in each row: `tsv:PATH`, `csv:PATH` or `jsonl:PATH`",
    "task.model": "For images: `resnet8`, `resnet9`, `resnet20` or `torchvision:NAME`. For texts: `transformer` (the "
    "default there) or `embeddings`",
    "task.drift.name": "The drift, a plugin",
    "task.drift.amount": "How far the data has drifted, in the unit of the drift, such as degrees",
    "training": "How it is learned",
    "training.steps": "Steps of the whole training",
    "training.batch_size": "Samples in a batch",
    "training.schedule": "How the learning rate changes over the training",
    "training.augment": "Changes that are drawn for each training image: `crop`, `flip`",
    "training.precision": "The precision that providers compute in",
    "training.optimizer.name": "The optimizer",
    "training.optimizer.lr": "The learning rate",
    "training.optimizer.momentum": "The momentum",
    "training.optimizer.weight_decay": "The weight decay",
    "training.optimizer.beta1": "The decay of the first moment",
    "training.optimizer.beta2": "The decay of the second moment",
    "training.schedule.name": "The schedule",
    "training.schedule.warmup_steps": "Steps in which the rate rises from zero",
    "training.schedule.final": "The last learning rate, as a fraction of the optimizer's",
    "training.schedule.peak": "When the rate is highest, as a fraction of the training",
    "audit": "How the training is audited",
    "audit.replicate_probability": "Each sub-run is replicated with this probability, in place of exactly m. No moment "
    "of the training is then safe for a primary that watches",
    "audit.metrics": "What models are compared by. Every audit adds `update`, `buffers` and `optimizer`, so that "
    "all of the state is compared",
    "audit.decision": "The rule. `ratio` compares distances with those among the reference models. `ks` is the source "
    "paper's statistic with a valid p-value; it can rarely flag anybody, and the plan says so. `auto` takes `ratio`",
    "audit.false_alarm_rate": "The accepted probability of flagging a given benign provider in the whole run, all "
    "updates of an evolving job together (the false positive rate). With N providers, somebody benign is flagged with "
    "at most N times that",
    "evolution": "Makes the job an evolving one: its model is updated again and again, and every update is audited",
    "evolution.training": "How an update is learned, where that differs from [training]",
    "evolution.audit": "How an update is audited, where that differs from [audit]",
    "evolution.training.steps": "Steps of an update",
    "evolution.training.batch_size": "Samples in a batch",
    "evolution.training.optimizer": "As in [training]",
    "evolution.training.schedule": "As in [training]; it begins anew with every update",
    "evolution.training.augment": "As in [training]",
    "evolution.drift.name": "The drift, a plugin",
    "evolution.drift.step": "How far the data drifts with each update, in the unit of the drift, such as degrees",
    "providers": "Those who train, one of them the primary",
    "providers.name": "What the provider is called in this job",
    "providers.endpoint": "`local:cpu`, `local:cuda:N`, `unix:PATH`, `https://host:port`, or the name of a registered "
    "provider. `simulated:honest` and `simulated:deviating=SHARE` train nothing, for [trying how auditor copes]"
    "(../how-to/many-providers.md)",
    "providers.primary": "Whether it trains the whole job. Exactly one provider does",
}
