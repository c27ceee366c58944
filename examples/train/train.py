"""Fits a small neural network on data that it makes, prints its progress, and leaves the result in the output directory."""

import json
import os
import time

import numpy as np

rng = np.random.default_rng(7)
inputs = rng.normal(size=(4000, 8))
targets = np.sin(inputs @ rng.normal(size=8)) + 0.05 * rng.normal(size=4000)
hidden, output = rng.normal(size=(8, 64)) * 0.3, rng.normal(size=64) * 0.1
rate, epochs = 0.05, int(os.environ.get("EPOCHS", "60"))
began = time.time()
for epoch in range(1, epochs + 1):
    order = rng.permutation(len(inputs))
    for batch in np.array_split(order, 40):
        activations = np.tanh(inputs[batch] @ hidden)
        error = activations @ output - targets[batch]
        output -= rate * activations.T @ error / len(batch)
        hidden -= rate * inputs[batch].T @ (np.outer(error, output) * (1 - activations**2)) / len(batch)
    if epoch % 10 == 0 or epoch == 1:
        loss = float(np.mean((np.tanh(inputs @ hidden) @ output - targets) ** 2))
        print(f"epoch {epoch:3d}/{epochs}  loss {loss:.4f}  {time.time() - began:.1f} s")
path = os.path.join(os.environ["FLUSTER_OUTPUT_DIR"], "model.json")
with open(path, "w") as file:
    json.dump({"loss": loss, "epochs": epochs, "output": output.tolist()}, file)
print("wrote model.json")
