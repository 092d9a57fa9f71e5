/** The command itself. */
export const main = {
  'Raw Chinese text in, an instruction dataset in Parquet out: the Kun method as a stream.':
    '输入中文原始文本，输出 Parquet 指令数据集：以流的方式实现 Kun 方法。',
  'language of messages: en or zh; by default that of the locale': '消息的语言：en 或 zh；默认取自系统区域设置',
  '\nExit codes: 0 done, 1 failed, 2 wrong use or recipe, 3 stopped and resumable (run again to resume).\nFirst steps: kun-stream init --demo && kun-stream run demo.yaml   (no GPU needed)':
    '\n退出码：0 完成，1 失败，2 用法或配方有误，3 已停止、可续跑（再次运行即可继续）。\n快速上手：kun-stream init --demo && kun-stream run demo.yaml   （无需 GPU）',
  '(kun-stream --help lists the commands)': '（kun-stream --help 列出所有命令）',
  'A run that was in progress can be resumed: its commits are kept. Run it again.\n':
    '正在进行的运行可以续跑：已提交的内容都在。请再次运行。\n',
  'the command stopped before it was done: it waits for something that cannot happen any more (KUN_CONTRACT). This is a bug in kun-stream; please report it':
    '命令未完成就停止了：它在等待一件不会再发生的事（KUN_CONTRACT）。这是 kun-stream 的缺陷，请报告',
  'Internal error: this is a bug in kun-stream.\n{0}\n': '内部错误：这是 kun-stream 的缺陷。\n{0}\n',
} as const
