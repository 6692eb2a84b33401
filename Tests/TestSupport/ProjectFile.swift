extension Fixture {
  /// What a project file of taming-transformers says of the model in `vqgan-tiny.ckpt`.
  package static let project = """
    model:
      base_learning_rate: 4.5e-6
      target: taming.models.vqgan.VQModel
      params:
        embed_dim: 32
        n_embed: 64
        ddconfig:
          double_z: False
          z_channels: 32
          resolution: 32
          in_channels: 3
          out_ch: 3
          ch: 32
          ch_mult: [ 1,2 ]  # num_down = len(ch_mult)-1
          num_res_blocks: 1
          attn_resolutions: [16]
          dropout: 0.25
    """
}
